/** How the CLI fails: the same words as the API's errors, on stderr, and an exit code that scripts can branch on. */
import { PolyadError } from '../core/errors/index.ts';

/** Exit codes; `polyad --help` lists them. */
export const EXIT = {
  ok: 0,
  /** The command was carried out and found or met a failure. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** The server or a simulator does not answer. */
  unreachable: 3,
  /** The API refused: the body of its error is printed. */
  refused: 4,
} as const;

/** A failure with words for people. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly code: string;
  readonly fix: string | undefined;
  /** Further facts, printed as they are. */
  readonly facts: readonly string[];
  /** The API's own error body, for `-o json`. */
  readonly body: Record<string, unknown> | undefined;

  constructor(
    message: string,
    options: {
      exitCode?: number;
      code?: string;
      fix?: string | undefined;
      facts?: readonly string[];
      body?: Record<string, unknown>;
    } = {},
  ) {
    super(message);
    this.name = 'CliError';
    this.exitCode = options.exitCode ?? EXIT.failed;
    this.code = options.code ?? 'cli_failed';
    this.fix = options.fix;
    this.facts = options.facts ?? [];
    this.body = options.body;
  }
}

/** A wrong argument. */
export const usage = (message: string, fix?: string): CliError =>
  new CliError(message, { exitCode: EXIT.usage, code: 'cli_usage', fix });

/** Any thrown thing as a failure of the CLI. */
export function asCliError(thrown: unknown): CliError {
  if (thrown instanceof CliError) return thrown;
  if (thrown instanceof PolyadError)
    return new CliError(thrown.message, {
      exitCode: thrown.code === 'config_invalid' || thrown.code === 'port_in_use' ? EXIT.usage : EXIT.failed,
      code: thrown.code,
      fix: thrown.fix,
    });
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return new CliError(process.env['POLYAD_LOG_LEVEL'] === 'debug' ? (error.stack ?? error.message) : error.message, {
    code: 'internal',
    fix: 'Set POLYAD_LOG_LEVEL=debug to see where it happened, and report it.',
  });
}

/** The text for stderr. */
export function errorText(error: CliError, bold: (text: string) => string = (text) => text): string {
  const lines = [`${bold('error')} ${error.code}: ${error.message}`, ...error.facts.map((fact) => `  ${fact}`)];
  if (error.fix !== undefined && !error.message.includes(error.fix)) lines.push(`${bold('fix')} ${error.fix}`);
  return `${lines.join('\n')}\n`;
}
