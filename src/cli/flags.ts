/** Arguments that several commands read. */
import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { usage } from './errors.ts';
import { FORMATS } from './output.ts';

/** Adds the flags by which a command finds its server. */
export function withTarget(command: Command): Command {
  return command
    .option('--server <url>', 'address of the server (POLYAD_URL; default: the one of the demo)')
    .option('--key <key>', 'API key (POLYAD_API_KEY; default: the demo key)')
    .option('--data-dir <folder>', 'where demo.json is looked for (POLYAD_DATA_DIR)');
}

/** Adds `-o`. */
export function withOutput(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'default: table on a terminal, json elsewhere').choices(FORMATS),
  );
}

/** JSON given as text, as `@file`, or as `-` for stdin. */
export async function readData(given: string): Promise<unknown> {
  const text =
    given === '-' ? await readStream(process.stdin) : given.startsWith('@') ? await fileText(given.slice(1)) : given;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usage(
      `--data is not JSON: ${(error as Error).message}`,
      'Quote it for the shell, or write it to a file and give @file.',
    );
  }
}

async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw usage(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** `name=value`. */
export function readPair(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw usage(`\`${text}\` is not name=value.`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** Collects a flag that may be repeated. */
export const collect = (value: string, before: string[] = []): string[] => [...before, value];

const UNITS: Record<string, number> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5, y: 365 * 864e5 };

/** `90d`, `1d12h`, `-30m`, in milliseconds. Units: ms, s, m, h, d, w, y (365 days). */
export function readDuration(text: string): number {
  const match = /^([+-]?)((?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w|y))+)$/.exec(text.trim());
  if (match === null) throw usage(`\`${text}\` is not a length of time.`, 'Write it like 90d, 36h, 1d12h or 500ms.');
  let ms = 0;
  for (const [, count, unit] of (match[2] as string).matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)/g))
    ms += Number(count) * (UNITS[unit as string] as number);
  return match[1] === '-' ? -ms : ms;
}

/** A whole number that is not negative. */
export function readWhole(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw usage(`${name} must be a whole number, not \`${text}\`.`);
  return Number(text);
}
