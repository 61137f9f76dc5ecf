/** `polyad report`: reports made in the background. */
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { type Client, connectTo, type TargetFlags } from '../client.ts';
import { CliError, EXIT } from '../errors.ts';
import { readPair } from '../flags.ts';
import { print, readFormat } from '../output.ts';
import { withProgress } from '../terminal.ts';
import { connectionOf } from './call.ts';

export interface CreateFlags extends TargetFlags {
  output?: string;
  connection?: string;
  env?: string;
  format?: string;
  route?: string;
  cache?: boolean;
  priority?: string;
  wait?: boolean;
  file?: string;
  param?: string[];
  /** Further flags are members of the query in camel case. */
  [parameter: string]: unknown;
}

export interface JobFlags extends TargetFlags {
  output?: string;
  file?: string;
  state?: string;
  connection?: string;
  limit?: string;
}

interface Job {
  id: string;
  state: string;
  format: string;
  progress?: { percent: number };
  result?: { bytes: number };
  error?: { code?: string; message?: string; fix?: string };
}

/** Members of a report's query that have a flag. */
const QUERY = [
  'orgId',
  'campaignId',
  'groupId',
  'adId',
  'startGte',
  'endLt',
  'type',
  'dimension',
  'level',
  'fields',
  'raw',
];
const COLUMNS = ['id', 'state', 'format', 'connection_id', 'progress', 'created_at', 'finished_at'];
/** Pause between two looks at a job, in ms. */
const LOOK_MS = 1_000;

const isOver = ({ state }: Job): boolean => state === 'done' || state === 'failed' || state === 'canceled';
const pathOf = (id: string): string => `/v1/report_jobs/${encodeURIComponent(id)}`;

/** Begins a job; with a file or `--wait` it waits for the end. */
export async function create(flags: CreateFlags): Promise<void> {
  const format = readFormat(flags.output);
  const client = await connectTo(flags);
  const query: Record<string, string> = {};
  for (const name of QUERY)
    if (flags[name] !== undefined)
      query[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = String(flags[name]);
  for (const pair of flags.param ?? []) {
    const [name, value] = readPair(pair);
    query[name] = value;
  }
  let job = await client.json<Job>('/v1/report_jobs', {
    method: 'POST',
    body: {
      connection_id: await connectionOf(client, flags),
      query,
      ...(flags.format === undefined ? {} : { format: flags.format }),
      ...(flags.route === undefined ? {} : { route: flags.route }),
      ...(flags.priority === undefined ? {} : { priority: flags.priority }),
      ...(flags.cache === false ? { cache: false } : {}),
    },
  });
  if (flags.wait === true || flags.file !== undefined) job = await settled(client, job);
  if (flags.file !== undefined) await save(client, job, flags.file);
  print(job, format);
}

/** Shows one job, or lists all. */
export async function show(id: string | undefined, flags: JobFlags): Promise<void> {
  const format = readFormat(flags.output);
  const client = await connectTo(flags);
  if (id !== undefined) return print(await client.json<Job>(pathOf(id)), format);
  const query = new URLSearchParams({
    ...(flags.state === undefined ? {} : { state: flags.state }),
    ...(flags.connection === undefined ? {} : { connection_id: flags.connection }),
    ...(flags.limit === undefined ? {} : { limit: flags.limit }),
  });
  print(await client.json<Job[]>(`/v1/report_jobs?${query}`), format, COLUMNS);
}

/** Waits for a job and writes its result to a file or stdout; a file that is there in part is completed. */
export async function get(id: string, flags: JobFlags): Promise<void> {
  const client = await connectTo(flags);
  const job = await settled(client, await client.json<Job>(pathOf(id)));
  if (flags.file !== undefined) return save(client, job, flags.file);
  const answer = await client.send(`${pathOf(id)}/download`);
  await pipeline(Readable.fromWeb(answer.body as ReadableStream), process.stdout, { end: false });
}

export async function cancel(id: string, flags: JobFlags): Promise<void> {
  const client = await connectTo(flags);
  print(await client.json<Job>(`${pathOf(id)}/cancel`, { method: 'POST' }), readFormat(flags.output));
}

export async function remove(id: string, flags: JobFlags): Promise<void> {
  const client = await connectTo(flags);
  print(await client.json(pathOf(id), { method: 'DELETE' }), readFormat(flags.output));
}

/** A job that is done. Exits with the code of a refused call when it came to nothing. */
async function settled(client: Client, begun: Job): Promise<Job> {
  const job = await withProgress('report job', async () => {
    let now = begun;
    while (!isOver(now)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      now = await client.json<Job>(pathOf(begun.id));
    }
    return now;
  });
  if (job.state === 'done') return job;
  throw new CliError(job.error?.message ?? `The report job was ${job.state}.`, {
    exitCode: EXIT.refused,
    code: job.error?.code ?? `report_job_${job.state}`,
    fix: job.error?.fix,
    body: { ...job },
  });
}

async function save(client: Client, job: Job, file: string): Promise<void> {
  const size = job.result?.bytes ?? 0;
  const have = await stat(file).then(
    (facts) => facts.size,
    () => 0,
  );
  const rest = have > 0 && have < size;
  const answer = await client.send(`${pathOf(job.id)}/download`, rest ? { headers: { range: `bytes=${have}-` } } : {});
  const flags = answer.status === 206 ? 'a' : 'w';
  await pipeline(Readable.fromWeb(answer.body as ReadableStream), createWriteStream(file, { flags, mode: 0o600 }));
}
