/** The CLI's way to a running server and to simulators: plain HTTP, as any client's. */
import { readConfig } from '../app/config-file.ts';
import { type DemoFile, demoFile, readDemoFile } from '../app/demo-file.ts';
import { CliError, EXIT } from './errors.ts';

/** Flags of every command that calls a server. */
export interface TargetFlags {
  server?: string;
  key?: string;
  dataDir?: string;
}

export interface Target {
  /** Base URL of the server. */
  url: string;
  /** API key; undefined where none is known. */
  key: string | undefined;
  /** Folder whose `demo.json` was looked at. */
  dataDir: string;
  demo: DemoFile | undefined;
}

/**
 * Server and key: flags, then POLYAD_URL and POLYAD_API_KEY, then the demo of the data directory. The demo's key is used
 * with the demo's server alone, so that it is never sent elsewhere.
 */
export async function findTarget(flags: TargetFlags): Promise<Target> {
  const config = await readConfig(process.env, { POLYAD_DATA_DIR: flags.dataDir });
  const demo = readDemoFile(config.dataDir);
  const named = flags.server ?? (process.env['POLYAD_URL'] || undefined);
  const url = named ?? demo?.url ?? `http://${config.host}:${config.port}`;
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new CliError(`\`${url}\` is not the address of a server.`, {
      exitCode: EXIT.usage,
      code: 'cli_usage',
      fix: 'Write scheme, host and port, such as http://127.0.0.1:3000.',
    });
  const ownDemo = demo !== undefined && (named === undefined || sameOrigin(named, demo.url));
  return {
    url: url.replace(/\/+$/, ''),
    key: flags.key ?? (process.env['POLYAD_API_KEY'] || undefined) ?? (ownDemo ? demo.api_key : undefined),
    dataDir: config.dataDir,
    demo,
  };
}

const sameOrigin = (left: string, right: string | undefined): boolean =>
  right !== undefined && URL.canParse(left) && new URL(left).origin === new URL(right).origin;

export interface CallOptions {
  method?: string;
  /** Sent as JSON, unless it is bytes. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Does not send the key: for addresses that need none. */
  open?: boolean;
}

/** Calls the server; answers that are errors become `CliError` with the server's own words. */
export class Client {
  readonly target: Target;

  constructor(target: Target) {
    this.target = target;
  }

  /** The answer itself, of any status that is no error. */
  async send(path: string, options: CallOptions = {}): Promise<Response> {
    const { key, url } = this.target;
    if (key === undefined && options.open !== true)
      throw new CliError('No API key is known.', {
        exitCode: EXIT.usage,
        code: 'cli_no_key',
        fix: `Give --key or POLYAD_API_KEY. With \`polyad start\` a demo key is kept in ${demoFile(this.target.dataDir)}.`,
      });
    const bytes = options.body instanceof Uint8Array;
    const response = await reach(`${url}${path}`, {
      method: options.method ?? 'GET',
      redirect: 'manual',
      headers: {
        ...(key === undefined || options.open === true ? {} : { authorization: `Bearer ${key}` }),
        ...(options.body === undefined || bytes ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined
        ? {}
        : { body: bytes ? (options.body as Uint8Array<ArrayBuffer>) : JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (response.status < 400) return response;
    throw refusal(response.status, await response.text());
  }

  /** The answer's JSON. */
  async json<T = unknown>(path: string, options: CallOptions = {}): Promise<T> {
    return (await (await this.send(path, options)).json()) as T;
  }

  /** Id of the key's own workspace. */
  async workspaceId(): Promise<string> {
    const { demo, key } = this.target;
    if (demo !== undefined && key === demo.api_key) return demo.workspace_id;
    const [first] = await this.json<{ workspace_id: string }[]>('/v1/keys');
    if (first === undefined) throw new CliError('The server lists no keys for this key’s workspace.');
    return first.workspace_id;
  }
}

/** Finds the server and makes a client. */
export const connectTo = async (flags: TargetFlags): Promise<Client> => new Client(await findTarget(flags));

/** Body of the API's errors, as far as it is shown. */
interface ErrorBody {
  code?: string;
  message?: string;
  fix?: string;
  request_id?: string;
  details?: Record<string, unknown>;
  platform?: { integration_type?: string; code?: string; message?: string; request_id?: string };
}

function refusal(status: number, text: string): CliError {
  let body: ErrorBody;
  try {
    body = JSON.parse(text) as ErrorBody;
  } catch {
    body = {};
  }
  if (typeof body.code !== 'string')
    return new CliError(`The server answered ${status}: ${text.slice(0, 500)}`, {
      exitCode: EXIT.refused,
      code: 'http_status',
    });
  const { platform, details } = body;
  return new CliError(body.message ?? '', {
    exitCode: EXIT.refused,
    code: body.code,
    fix: body.fix,
    body: body as Record<string, unknown>,
    facts: [
      ...(platform === undefined
        ? []
        : [
            `platform: ${[platform.integration_type, platform.code, platform.message].filter(Boolean).join(' ')}${platform.request_id === undefined ? '' : ` (its request ${platform.request_id})`}`,
          ]),
      ...(details === undefined ? [] : [`details: ${shortened(JSON.stringify(details))}`]),
      `request: ${body.request_id ?? 'unknown'} (HTTP ${status})`,
    ],
  });
}

/** Lists of allowed values can be long; `-o json` shows them whole. */
const shortened = (text: string): string => (text.length > 600 ? `${text.slice(0, 600)}… (-o json shows all)` : text);

/** `fetch` whose failure to connect is said in words. */
export async function reach(url: string, init: RequestInit, what = 'The server'): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    const cause = (error as { cause?: { code?: string; message?: string } }).cause;
    throw new CliError(
      `${what} at ${new URL(url).origin} does not answer (${cause?.code ?? (error as Error).message}).`,
      {
        exitCode: EXIT.unreachable,
        code: 'unreachable',
        fix: 'Start it with `polyad start`, or name another address (--server or POLYAD_URL; simulators: --url).',
      },
    );
  }
}
