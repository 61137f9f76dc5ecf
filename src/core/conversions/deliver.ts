/**
 * One batch on its way: sent as it is; when the platform refuses it for an event's sake, that event is found, gets its
 * fate, and the others are sent. When something else is wrong, all of them wait.
 */
import type { ConversionBatch, ConversionSource } from '../connector/conversion-spec.ts';
import type { PlatformRequest, PlatformResponse } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { LeasedBatch, LineFate } from '../store/repositories/index.ts';
import { expired, type ReadyDestination } from './judge.ts';

/** An event in a batch: its chunk, its line there, and its text. */
export interface Line {
  chunk: string;
  position: number;
  text: string;
}

export interface DeliveryParts {
  ready: ReadyDestination;
  batch: LeasedBatch;
  /** Lines that have their fate already. */
  settled: readonly { chunk: string; position: number }[];
  /** Lines that have grown too old. */
  overdue: readonly { chunk: string; position: number }[];
  request(request: PlatformRequest): Promise<PlatformResponse>;
  /** Writes fates down. */
  settle(fates: readonly LineFate[]): Promise<void>;
  /** Before every request but the first: rejects when another node has taken the batch over. */
  stillOurs(): Promise<void>;
}

/** How many events were accepted and what became of the others. */
export interface Delivered {
  accepted: number;
  refused: number;
  expired: number;
}

const placeOf = ({ chunk, position }: { chunk: string; position: number }): string => `${chunk}/${position}`;

/** Every event of a batch that has no fate yet. */
export function linesOf({ chunks }: LeasedBatch, without: ReadonlySet<string>): Line[] {
  const lines: Line[] = [];
  for (const { id, payload } of chunks)
    for (const [position, text] of payload.split('\n').entries())
      if (text !== '' && !without.has(`${id}/${position}`)) lines.push({ chunk: id, position, text });
  return lines;
}

/**
 * Sends a batch until every event of it has its fate.
 *
 * @throws PolyadError what is wrong with the destination or the platform; events without a fate then wait.
 */
export async function deliver(parts: DeliveryParts): Promise<Delivered> {
  const { ready, batch, settled, overdue } = parts;
  const done: Delivered = { accepted: 0, refused: 0, expired: overdue.length };
  if (overdue.length > 0) {
    const { code, message: reason } = expired(ready.platform, ready.spec);
    await parts.settle(overdue.map((line) => ({ ...line, state: 'expired', code, reason })));
  }
  const lines = linesOf(batch, new Set([...settled, ...overdue].map(placeOf)));
  if (lines.length > 0) await send(parts, lines, done);
  return done;
}

async function send(parts: DeliveryParts, lines: readonly Line[], done: Delivered): Promise<void> {
  const { spec } = parts.ready;
  let left = [...lines];
  for (;;) {
    const refusal = await attempt(parts, left, done);
    if (refusal === undefined) return;
    const blame = left.length === 1 ? ({ on: 'event', index: 0 } as const) : spec.blame(refusal, left.length);
    await parts.stillOurs();
    if (blame.on === 'event') {
      const [line] = left.splice(blame.index, 1);
      await refuse(parts, [{ line: line as Line, error: refusal }], done);
      if (left.length === 0) return;
      continue;
    }
    // The platform does not say which one it is.
    const middle = Math.ceil(left.length / 2);
    await send(parts, left.slice(0, middle), done);
    left = left.slice(middle);
    await parts.stillOurs();
  }
}

/** One request. Undefined = it was taken; else the refusal, for the sake of some event. */
async function attempt(
  parts: DeliveryParts,
  lines: readonly Line[],
  done: Delivered,
): Promise<PolyadError | undefined> {
  const { spec, row } = parts.ready;
  const { testCode } = parts.batch;
  const batch: ConversionBatch = {
    source: row.source as ConversionSource,
    sourceId: row.source_id,
    ...(testCode === null ? {} : { testCode }),
    events: lines.map(({ text }) => text),
  };
  let answer: PlatformResponse;
  try {
    answer = await parts.request(spec.request(batch));
  } catch (error) {
    if (!(error instanceof PolyadError)) throw error;
    // Sent before, and taken then: the answer was lost.
    if (error.code === 'platform_duplicate') {
      done.accepted += lines.length;
      return undefined;
    }
    if (spec.blame(error, lines.length).on === 'destination') throw error;
    return error;
  }
  const fates = spec.read(answer, lines.length);
  await refuse(
    parts,
    fates.flatMap(({ index, code, message }) => {
      const line = lines[index];
      const platform = { message, ...(code === undefined ? {} : { code }) };
      return line === undefined ? [] : [{ line, error: new PolyadError('conversion_refused', { message, platform }) }];
    }),
    done,
  );
  done.accepted += lines.length - fates.length;
  return undefined;
}

async function refuse(
  parts: DeliveryParts,
  refused: readonly { line: Line; error: PolyadError }[],
  done: Delivered,
): Promise<void> {
  if (refused.length === 0) return;
  done.refused += refused.length;
  await parts.settle(
    refused.map(({ line, error }) => ({
      chunk: line.chunk,
      position: line.position,
      state: 'refused',
      code: 'conversion_refused',
      reason: reasonOf(error, line.text, parts.ready),
      line: line.text,
    })),
  );
}

/** What looks like a person's address or number, wherever a platform repeats it. */
const PERSONAL = /[^\s@"'<>]+@[^\s@"'<>]+\.[a-z]{2,}|\+\d[\d\s().-]{6,}\d|\b[0-9a-f]{64}\b/gi;
const HIDDEN = '[hidden]';
const LONGEST_REASON = 500;

/** The platform's words without what they repeat of the person. */
export function reasonOf(
  error: PolyadError,
  text: string,
  { spec, platform }: Pick<ReadyDestination, 'spec' | 'platform'>,
): string {
  const { code, message = error.message } = error.platform ?? {};
  let words = message;
  const native = JSON.parse(text) as unknown;
  for (const { native: path, personal } of spec.fields) {
    if (personal !== true) continue;
    for (const value of valuesAt(native, path.split('.')))
      if (value.length >= 3) words = words.replaceAll(value, HIDDEN);
  }
  words = words.replace(PERSONAL, HIDDEN).slice(0, LONGEST_REASON);
  return `${platform.manifest.name} answered${code === undefined ? '' : ` ${code}`}: ${words}`;
}

function valuesAt(object: unknown, path: readonly string[]): string[] {
  let value = object;
  for (const name of path)
    value = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[name] : undefined;
  const list = Array.isArray(value) ? value : [value];
  return list.filter((one): one is string => typeof one === 'string');
}
