/** `polyad call`: any call of the API from the command line. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { type Client, connectTo, type TargetFlags } from '../client.ts';
import { CliError, EXIT, usage } from '../errors.ts';
import { readData, readPair, readWhole } from '../flags.ts';
import { print, readFormat } from '../output.ts';
import { everyRow } from '../pages.ts';
import { withProgress } from '../terminal.ts';

export interface CallFlags extends TargetFlags {
  output?: string;
  connection?: string;
  env?: string;
  data?: string;
  param?: string[];
  header?: string[];
  all?: boolean;
  dryRun?: boolean;
  idempotencyKey?: string;
  /** Further flags are query parameters in camel case. */
  [parameter: string]: unknown;
}

/** Rows per request with `--all`: the largest page of the API. */
const PAGE = 1000;

/** Columns that a table shows first; the rest follows as far as it fits. */
const FIRST = ['id', 'name', 'status', 'effective_status', 'type', 'organization_id', 'campaign_id', 'group_id'];

/** Flags that are no query parameters. */
const OWN = new Set([
  'server',
  'key',
  'dataDir',
  'output',
  'connection',
  'env',
  'data',
  'param',
  'header',
  'all',
  'dryRun',
  'idempotencyKey',
]);

/** Query parameters of the flags: `--org-id` is `org_id`. */
function parameters(flags: CallFlags): URLSearchParams {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(flags)) {
    if (OWN.has(name) || value === undefined) continue;
    out.append(
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      String(value),
    );
  }
  for (const pair of flags.param ?? []) out.append(...readPair(pair));
  return out;
}

const suffix = (query: URLSearchParams): string => (query.size === 0 ? '' : `?${query}`);

/** Id of the connection to call through: the flag's, else the only one, else the demo's. */
export async function connectionOf(client: Client, flags: Pick<CallFlags, 'connection' | 'env'>): Promise<string> {
  if (flags.connection !== undefined) return flags.connection;
  const query = new URLSearchParams({ limit: '100', order: 'asc', sort: 'created_at' });
  if (flags.env !== undefined) query.set('env', flags.env);
  const found = await client.json<
    { id: string; integration_type: string; environment: string; external_xref?: string }[]
  >(`/unified/connection?${query}`);
  const [first] = found;
  if (first === undefined)
    throw new CliError('There is no connection to call through.', {
      code: 'connection_not_found',
      fix: 'Make one: polyad connect tiktokads',
    });
  const demo = found.filter((row) => row.external_xref === 'demo-customer');
  if (found.length > 1 && demo.length !== 1)
    throw usage(
      `There are ${found.length} connections: ${found.map((row) => `${row.id} (${row.integration_type}, ${row.environment})`).join(', ')}.`,
      'Choose one with --connection.',
    );
  return (demo[0] ?? first).id;
}

const METHOD: Record<string, string> = { list: 'GET', get: 'GET', create: 'POST', update: 'PATCH', remove: 'DELETE' };

/** `polyad call ads <object> <method> [id]`. */
export async function callAds(object: string, method: string, id: string | undefined, flags: CallFlags): Promise<void> {
  const { OBJECTS, isObjectName } = await import('../../core/model/objects.ts');
  if (!isObjectName(object))
    throw usage(`There is no object \`${object}\`.`, `Known are ${Object.keys(OBJECTS).join(', ')}.`);
  const methods = Object.entries(OBJECTS[object].methods).flatMap(([name, has]) => (has ? [name] : []));
  if (!methods.includes(method))
    throw usage(`\`${object}\` has no method \`${method}\`.`, `It has ${methods.join(', ')}.`);
  checkId(method, id);
  const format = readFormat(flags.output);
  const client = await connectTo(flags);
  const path = `/ads/${encodeURIComponent(await connectionOf(client, flags))}/${object}`;
  const query = parameters(flags);
  if (flags.dryRun === true) query.set('dry_run', 'true');

  if (object === 'report') return report(client, `${path}${suffix(query)}`, flags);
  if (method === 'list' && flags.all === true) {
    print(await everyPage(client, path, query), format);
    return;
  }
  const answer = await withProgress(`${method} ${object}`, async () =>
    client.json(`${path}${id === undefined ? '' : `/${encodeURIComponent(id)}`}${suffix(query)}`, {
      method: METHOD[method] as string,
      ...(await body(method, flags)),
      headers: headers(flags),
    }),
  );
  print(format === 'table' && Array.isArray(answer) ? answer.map(inOrder) : answer, format);
}

function checkId(method: string, id: string | undefined): void {
  const needs = method === 'get' || method === 'update' || method === 'remove';
  if (needs && id === undefined) throw usage(`\`${method}\` needs the id of the object.`);
  if (!needs && id !== undefined) throw usage(`\`${method}\` takes no id; \`${id}\` is one too many.`);
}

async function body(method: string, flags: CallFlags): Promise<{ body?: unknown }> {
  const needs = method === 'create' || method === 'update';
  if (!needs) return {};
  if (flags.data === undefined)
    throw usage(`\`${method}\` needs --data.`, 'For example --data \'{"name": "Spring"}\' or --data @file.json.');
  return { body: await readData(flags.data) };
}

function headers(flags: CallFlags): Record<string, string> {
  return {
    ...Object.fromEntries((flags.header ?? []).map(readHeader)),
    ...(flags.idempotencyKey === undefined ? {} : { 'idempotency-key': flags.idempotencyKey }),
  };
}

function readHeader(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw usage(`\`${text}\` is not a header.`, "Write it as 'Name: value'.");
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

const inOrder = (row: Record<string, unknown>): Record<string, unknown> => ({
  ...Object.fromEntries(FIRST.flatMap((name) => (name in row ? [[name, row[name]]] : []))),
  ...row,
});

async function everyPage(client: Client, path: string, query: URLSearchParams): Promise<unknown[]> {
  const size = query.has('limit') ? readWhole('--limit', query.get('limit') as string) : PAGE;
  const offset = readWhole('--offset', query.get('offset') ?? '0');
  const read = (at: number, limit: number): Promise<Record<string, unknown>[]> => {
    query.set('limit', String(limit));
    query.set('offset', String(at));
    return client.json(`${path}?${query}`);
  };
  const fields = query.get('fields')?.split(',');
  const idOf = (row: Record<string, unknown>): unknown => row['id'];
  return withProgress('reading', (line) =>
    everyRow(read, { size, offset }, fields?.includes('id') === false ? undefined : idOf, (rows) =>
      line.say(`reading: ${rows} so far`),
    ),
  );
}

/** Reports come row by row, however many they are: they are printed as they come, except in a table. */
async function report(client: Client, path: string, flags: CallFlags): Promise<void> {
  const format = readFormat(flags.output);
  const rows: unknown[] = [];
  await withProgress('report', async (line) => {
    const answer = await client.send(path, { headers: { ...headers(flags), accept: 'application/x-ndjson' } });
    if (answer.body === null) return;
    const lines = createInterface({ input: Readable.fromWeb(answer.body as ReadableStream), crlfDelay: Infinity });
    for await (const text of lines) {
      if (text === '') continue;
      if (format === 'ndjson') {
        if (!process.stdout.write(`${text}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve));
        continue;
      }
      rows.push(JSON.parse(text));
      line.say(`report: ${rows.length} rows so far`);
    }
  });
  if (format !== 'ndjson')
    print(format === 'table' ? rows.flatMap((row) => reportLines(row as ReportRow)) : rows, format);
}

interface ReportMetric {
  type?: string;
  value?: unknown;
  dimension_value?: string;
  campaign?: Named;
  group?: Named;
  ad?: Named;
}
interface Named {
  id?: string;
  name?: string;
}
interface ReportRow {
  metrics?: ReportMetric[];
  organization_id?: string;
  currency?: string;
}

/** A report row as lines of a table: one per value of its breakdown, with the metrics as columns. */
function reportLines({ metrics = [], organization_id, currency }: ReportRow): Record<string, unknown>[] {
  const lines = new Map<string, Record<string, unknown>>();
  for (const { type = '?', value, dimension_value: part, campaign, group, ad } of metrics) {
    const of = [campaign, group, ad].filter((one) => one !== undefined).at(-1);
    const key = JSON.stringify([part, of?.id]);
    const line = lines.get(key) ?? { organization_id, id: of?.id, name: of?.name, breakdown: part };
    line[type] = value;
    lines.set(key, line);
  }
  return [...lines.values()].map((line) => ({ ...line, currency }));
}

/** `polyad call passthrough <method> <path>`: the platform's own API; its answer goes to stdout as it is. */
export async function callPassthrough(method: string, path: string, flags: CallFlags): Promise<void> {
  const verb = method.toUpperCase();
  if (!['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(verb))
    throw usage(`\`${method}\` is no method that pass-through takes.`);
  const client = await connectTo(flags);
  const query = parameters(flags);
  const joint = query.size === 0 ? '' : path.includes('?') ? '&' : '?';
  const target = `/passthrough/${encodeURIComponent(await connectionOf(client, flags))}/${path.replace(/^\/+/, '')}${joint}${query}`;
  const key = client.target.key ?? '';
  const response = await withProgress(`${verb} ${path}`, async () =>
    fetch(`${client.target.url}${target}`, {
      method: verb,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${key}`,
        ...(flags.data === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers(flags),
      },
      ...(flags.data === undefined ? {} : { body: JSON.stringify(await readData(flags.data)) }),
    }),
  );
  process.stderr.write(`HTTP ${response.status}\n`);
  if (response.body !== null)
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>)
      if (!process.stdout.write(part)) await new Promise((resolve) => process.stdout.once('drain', resolve));
  if (process.stdout.isTTY) process.stdout.write('\n');
  if (response.status >= 400) process.exitCode = EXIT.refused;
}

interface Collection {
  path: string;
  methods: readonly string[];
  columns: readonly string[];
}

/** Further collections of the API: `polyad call connections list`. */
export const COLLECTIONS: Record<string, Collection> = {
  connections: {
    path: '/unified/connection',
    methods: ['list', 'get', 'create', 'update', 'remove'],
    columns: ['id', 'integration_type', 'environment', 'external_xref', 'is_paused', 'health', 'created_at'],
  },
  integrations: {
    path: '/unified/integration',
    methods: ['list'],
    columns: ['type', 'name', 'categories', 'is_active', 'active_healthy_connections'],
  },
  apicalls: {
    path: '/unified/apicall',
    methods: ['list', 'get'],
    columns: [
      'created_at',
      'name',
      'method',
      'path',
      'status',
      'error',
      'unified_response_time',
      'endapi_response_time',
    ],
  },
  events: { path: '/v1/events', methods: ['list'], columns: ['created_at', 'type', 'connection_id', 'payload'] },
  quotas: {
    path: '/v1/quotas',
    methods: ['list'],
    columns: ['bucket', 'key', 'used', 'limit', 'window_ms', 'resting_until'],
  },
};

/** `polyad call connections list` and the like. */
export async function callCollection(
  name: string,
  method: string,
  id: string | undefined,
  flags: CallFlags,
): Promise<void> {
  const collection = COLLECTIONS[name];
  if (collection === undefined) throw usage(`There is no \`${name}\`.`);
  if (!collection.methods.includes(method))
    throw usage(`\`${name}\` has no method \`${method}\`.`, `It has ${collection.methods.join(', ')}.`);
  checkId(method, id);
  const format = readFormat(flags.output);
  const client = await connectTo(flags);
  const query = parameters(flags);
  if (flags.env !== undefined) query.set('env', flags.env);
  const answer = await client.json<unknown>(
    `${collection.path}${id === undefined ? '' : `/${encodeURIComponent(id)}`}${suffix(query)}`,
    { method: METHOD[method] as string, ...(await body(method, flags)), headers: headers(flags) },
  );
  print(answer, format, format === 'table' && Array.isArray(answer) ? present(answer, collection.columns) : undefined);
}

/** The columns that at least one row fills. */
const present = (rows: readonly unknown[], columns: readonly string[]): string[] =>
  columns.filter((name) => rows.some((row) => (row as Record<string, unknown>)[name] !== undefined));
