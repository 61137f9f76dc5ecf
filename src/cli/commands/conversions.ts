/** `polyad conversions`: what became of conversion events, exported, and sent again. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { connectTo, type TargetFlags } from '../client.ts';
import { print, readFormat } from '../output.ts';

/** Most destinations that one page of the list has. */
const PAGE = 100;

interface Destination {
  id: string;
  integration_type: string;
  environment: string;
  source: string;
  source_id: string;
  health: string;
  problem?: { code: string; message: string };
  events?: Record<string, unknown>;
}

export interface StatusFlags extends TargetFlags {
  output?: string;
  connection?: string;
}

export interface ExportFlags extends TargetFlags {
  file?: string;
  format?: string;
  destination?: string;
  state?: string;
  since?: string;
  until?: string;
}

export interface ReplayFlags extends TargetFlags {
  output?: string;
  event?: string;
  reason?: string;
  id?: string[];
}

const queryOf = (members: Record<string, string | undefined>): URLSearchParams =>
  new URLSearchParams(Object.entries(members).filter((pair): pair is [string, string] => pair[1] !== undefined));

/** Destinations with the numbers of their events: all, those of a connection, or one. */
export async function status(id: string | undefined, flags: StatusFlags): Promise<void> {
  const format = readFormat(flags.output);
  const client = await connectTo(flags);
  const one = (wanted: string) => client.json<Destination>(`/v1/conversion_destinations/${encodeURIComponent(wanted)}`);
  if (id !== undefined) return print(await one(id), format);
  const rows: Record<string, unknown>[] = [];
  for (let offset = 0; ; offset += PAGE) {
    const query = queryOf({ connection_id: flags.connection, limit: String(PAGE), offset: String(offset) });
    const page = await client.json<Destination[]>(`/v1/conversion_destinations?${query}`);
    for (const { id: each } of page) {
      const { events, integration_type, environment, source, source_id, health, problem } = await one(each);
      rows.push({
        id: each,
        integration_type,
        environment,
        source,
        source_id,
        health,
        problem: problem?.code,
        ...events,
      });
    }
    if (page.length < PAGE) break;
  }
  print(rows, format);
}

/** Writes the fates of events to stdout or a file. */
export async function exportFates(flags: ExportFlags): Promise<void> {
  const client = await connectTo(flags);
  const { format, destination, state, since, until, file } = flags;
  const query = queryOf({
    ...{ format, destination_id: destination, created_gte: since, created_lt: until },
    state: state?.toUpperCase(),
  });
  const answer = await client.send(`/v1/conversions/export?${query}`);
  const body = answer.body === null ? Readable.from([]) : Readable.fromWeb(answer.body as ReadableStream);
  if (file === undefined) await pipeline(body, process.stdout, { end: false });
  else await pipeline(body, createWriteStream(file, { mode: 0o600 }));
}

/** Has refused events of a destination sent again. */
export async function replay(destination: string, flags: ReplayFlags): Promise<void> {
  const format = readFormat(flags.output);
  const client = await connectTo(flags);
  const { event, reason, id } = flags;
  const body = {
    destination_id: destination,
    ...(event === undefined ? {} : { event }),
    ...(reason === undefined ? {} : { reason_code: reason }),
    ...(id === undefined ? {} : { ids: id }),
  };
  print(await client.json('/v1/conversions/replay', { method: 'POST', body }), format);
}
