/** `polyad audit`: the log of who did what, exported and verified. */
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { type AuditRecord, verifyChain } from '../../core/audit/chain.ts';
import { connectTo, type TargetFlags } from '../client.ts';
import { CliError, EXIT, usage } from '../errors.ts';
import { print, readFormat } from '../output.ts';

export interface ExportFlags extends TargetFlags {
  file?: string;
  after?: string;
  since?: string;
  until?: string;
  action?: string;
  connection?: string;
  workspace?: string;
}

export interface VerifyFlags extends TargetFlags {
  output?: string;
  file?: string;
  head?: string;
  workspace?: string;
}

const HEAD = /^(\d{1,10}):([0-9a-f]{64})$/;

function anchorOf(head: string | undefined): { seq: number; hash: string } | undefined {
  if (head === undefined) return undefined;
  const [, seq, hash] = HEAD.exec(head) ?? [];
  if (seq === undefined || hash === undefined)
    throw usage(
      `\`${head}\` is not the head of an audit log.`,
      'Write number and hash, as `audit export` prints them.',
    );
  return { seq: Number(seq), hash };
}

/** The lines of an export. */
async function* recordsOf(input: Readable): AsyncGenerator<AuditRecord> {
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line === '') continue;
    try {
      yield JSON.parse(line) as AuditRecord;
    } catch {
      throw new CliError(`Line ${number} is not JSON.`, { exitCode: EXIT.failed, code: 'audit_unreadable' });
    }
  }
}

/** Writes the log as lines of JSON to stdout or a file, and its head to stderr. */
export async function exportLog(flags: ExportFlags): Promise<void> {
  const client = await connectTo(flags);
  const { after, since, until, action, connection, workspace } = flags;
  const query = new URLSearchParams(
    Object.entries({
      after,
      at_gte: since,
      at_lt: until,
      action,
      connection_id: connection,
      workspace_id: workspace,
    }).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
  const answer = await client.send(`/v1/audit?${query}`);
  const body = Readable.fromWeb(answer.body as ReadableStream);
  if (flags.file === undefined) await pipeline(body, process.stdout, { end: false });
  else await pipeline(body, createWriteStream(flags.file, { mode: 0o600 }));
  process.stderr.write(`head ${answer.headers.get('x-polyad-audit-head') ?? ''}\n`);
}

/**
 * Computes every hash again, here: from a file alone, or from what the server exports, whose own verdict (it knows the
 * recorded end and its seal) is asked for too. Exits with 1 when the log is not whole.
 */
export async function verify(flags: VerifyFlags): Promise<void> {
  const format = readFormat(flags.output);
  const anchor = anchorOf(flags.head);
  if (flags.file !== undefined) {
    const found = await verifyChain(recordsOf(createReadStream(flags.file)), anchor);
    print(found, format);
    if (!found.ok) process.exitCode = EXIT.failed;
    return;
  }
  const client = await connectTo(flags);
  const query = new URLSearchParams({
    ...(flags.workspace === undefined ? {} : { workspace_id: flags.workspace }),
    ...(flags.head === undefined ? {} : { head: flags.head }),
  });
  const theirs = await client.json<{ ok: boolean; sealed: boolean; fault?: unknown }>(`/v1/audit/verify?${query}`);
  query.delete('head');
  const answer = await client.send(`/v1/audit?${query}`);
  const ours = await verifyChain(recordsOf(Readable.fromWeb(answer.body as ReadableStream)), anchor);
  const found = { ...ours, ok: ours.ok && theirs.ok, sealed: theirs.sealed, fault: ours.fault ?? theirs.fault };
  print(found, format);
  if (!found.ok) process.exitCode = EXIT.failed;
}
