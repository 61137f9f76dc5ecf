/**
 * Members of audiences on their way to a platform: read line by line, hashed, sent in batches. Nothing of a person is kept
 * or logged; memory holds one batch, however long the list is.
 */

import { breathe } from '../breathe.ts';
import type { AudienceIdentifier, AudienceSpec, IdentifierRule } from '../connector/audience-spec.ts';
import { AUDIENCE_IDENTIFIERS } from '../connector/audience-spec.ts';
import { normalised, Unfit } from '../conversions/normalise.ts';

/** Longest line that is read, in characters. */
const LONGEST_LINE = 4_096;
/** Most lines of which it is said what was wrong. */
const COMPLAINTS = 20;

/** Somebody, by whatever is known of him. */
export type Member = Partial<Record<AudienceIdentifier, string>>;

/** What was left out, and why; never the value itself. */
export interface Complaint {
  /** Line or position, from 1. */
  line: number;
  identifier?: AudienceIdentifier;
  reason: string;
}

/** Counts of one list. */
export class Tally {
  received = 0;
  sent = 0;
  skipped = 0;
  failed = 0;
  readonly complaints: Complaint[] = [];

  skip(complaint: Complaint): void {
    this.skipped += 1;
    if (this.complaints.length < COMPLAINTS) this.complaints.push(complaint);
  }
}

/** Lines of a body, as objects. Lines that are none are skipped and counted. */
export async function* membersOf(
  body: AsyncIterable<Uint8Array>,
  tally: Tally,
): AsyncGenerator<{ line: number; member: Member }> {
  const decoder = new TextDecoder();
  let rest = '';
  let line = 0;
  const read = (text: string): { line: number; member: Member } | undefined => {
    line += 1;
    if (text.trim() === '') return undefined;
    tally.received += 1;
    try {
      const value: unknown = text.length > LONGEST_LINE ? undefined : JSON.parse(text);
      if (value !== null && typeof value === 'object' && !Array.isArray(value))
        return { line, member: value as Member };
    } catch {}
    tally.skip({ line, reason: 'is no JSON object' });
    return undefined;
  };
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() as string;
    for (const text of lines) {
      const found = read(text);
      if (found !== undefined) yield found;
      const pause = breathe();
      if (pause !== undefined) await pause;
    }
    // A line that never ends is no line.
    if (rest.length > LONGEST_LINE * 16) rest = rest.slice(0, LONGEST_LINE + 1);
  }
  const last = read(rest + decoder.decode());
  if (last !== undefined) yield last;
}

/** One member's digest by one identifier; undefined when he has none. */
function digestOf(
  member: Member,
  name: AudienceIdentifier,
  rule: IdentifierRule,
  line: number,
  tally: Tally,
): string | undefined {
  const value: unknown = member[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') {
    if (tally.complaints.length < COMPLAINTS) tally.complaints.push({ line, identifier: name, reason: 'must be text' });
    return undefined;
  }
  try {
    return normalised(value, { steps: rule.steps, hash: 'sha256' });
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    if (tally.complaints.length < COMPLAINTS) tally.complaints.push({ line, identifier: name, reason: error.message });
    return undefined;
  }
}

/** Rows for a stream, in batches: every identifier that the platform takes is a column. */
export async function* streamBatches(
  spec: AudienceSpec,
  members: AsyncIterable<{ line: number; member: Member }>,
  tally: Tally,
): AsyncGenerator<{ columns: string[]; rows: (string | undefined)[][] }> {
  const columns = AUDIENCE_IDENTIFIERS.flatMap((name) => {
    const rule = spec.identifiers[name];
    return rule?.stream === undefined ? [] : [{ name, rule, column: rule.stream }];
  });
  let rows: (string | undefined)[][] = [];
  const batch = () => {
    // Columns of which nobody has anything are left out.
    const used = columns.map((_, index) => rows.some((row) => row[index] !== undefined));
    return {
      columns: columns.filter((_, index) => used[index]).map(({ column }) => column),
      rows: rows.map((row) => row.filter((_, index) => used[index])),
    };
  };
  for await (const { line, member } of members) {
    const row = columns.map(({ name, rule }) => digestOf(member, name, rule, line, tally));
    if (row.every((value) => value === undefined)) {
      tally.skip({ line, reason: `has none of ${columns.map(({ name }) => name).join(', ')}` });
      continue;
    }
    rows.push(row);
    if (rows.length < spec.stream.maxRows) continue;
    yield batch();
    rows = [];
  }
  if (rows.length > 0) yield batch();
}

/** Digests for files, in batches: one identifier, one line each. */
export async function* fileBatches(
  spec: AudienceSpec,
  kind: string,
  members: AsyncIterable<{ line: number; member: Member }>,
  tally: Tally,
): AsyncGenerator<{ text: Buffer; count: number }> {
  const name = AUDIENCE_IDENTIFIERS.find((one) => spec.identifiers[one]?.file === kind);
  const rule = name === undefined ? undefined : spec.identifiers[name];
  let lines: string[] = [];
  const file = () => ({ text: Buffer.from(`${lines.join('\n')}\n`), count: lines.length });
  for await (const { line, member } of members) {
    const digest = name === undefined || rule === undefined ? undefined : digestOf(member, name, rule, line, tally);
    if (digest === undefined) {
      tally.skip({ line, reason: `has no ${name ?? kind}` });
      continue;
    }
    lines.push(digest);
    if (lines.length < spec.file.maxRows) continue;
    yield file();
    lines = [];
  }
  if (lines.length > 0) yield file();
}
