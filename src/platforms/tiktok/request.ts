/** Requests to the Marketing API: paths, the envelope, pages, and the guard that keeps the sandbox's limits. */
import type { OperationInput } from '../../core/connector/object-spec.ts';
import type { CallContext, FormPart, Native, PlatformRequest, PlatformResponse } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { API } from './manifest.ts';

/**
 * All that the sandbox host serves (TikTok docs 1738855331457026). Anything else is refused here, by name, before it is
 * sent: TikTok would answer 40008, 40009 or 40014.
 */
export const SANDBOX_ENDPOINTS: ReadonlySet<string> = new Set([
  ...['campaign', 'adgroup', 'ad'].flatMap((object) =>
    ['create', 'get', 'update', 'status/update'].map((verb) => `${object}/${verb}`),
  ),
  'file/image/ad/upload',
  'file/video/ad/upload',
  'report/integrated/get',
  'term/check',
  'term/confirm',
  'term/get',
  'user/info',
  'identity/create',
  'identity/get',
  'identity/delete',
]);

/** The refusal of what the sandbox does not have. */
export function sandboxLacks(what: string): PolyadError {
  return new PolyadError('platform_environment_unsupported', {
    message: `TikTok’s sandbox does not have ${what}.`,
    details: { environment: 'sandbox', endpoints: [...SANDBOX_ENDPOINTS].sort() },
  });
}

/** One call, by the path of its endpoint without prefix and slashes: `campaign/get`. */
export interface Call {
  endpoint: string;
  /** Default GET. */
  method?: 'GET' | 'POST';
  /** Ad account that the call is about. */
  organizationId?: string;
  query?: Native;
  json?: Native;
  multipart?: readonly FormPart[];
  appParams?: PlatformRequest['appParams'];
  idempotent?: boolean;
}

/**
 * The request of a call.
 *
 * @throws PolyadError `platform_environment_unsupported` in the sandbox, for endpoints that it does not have.
 */
export function call(ctx: Pick<CallContext, 'environment'>, options: Call): PlatformRequest {
  const { endpoint, method = 'GET', organizationId, query, json, multipart, appParams, idempotent } = options;
  if (ctx.environment === 'sandbox' && !SANDBOX_ENDPOINTS.has(endpoint)) throw sandboxLacks(`\`${endpoint}\``);
  return {
    method,
    path: `${API}/${endpoint}/`,
    operation: endpoint,
    ...(query === undefined ? {} : { query }),
    ...(json === undefined ? {} : { json }),
    ...(multipart === undefined ? {} : { multipart }),
    ...(appParams === undefined ? {} : { appParams }),
    ...(organizationId === undefined ? {} : { organizationId }),
    ...(idempotent === undefined ? {} : { idempotent }),
  };
}

const isObject = (value: unknown): value is Native =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** The `data` member of an answer; video uploads answer a list there, of which this is the first. */
export function dataOf(response: PlatformResponse): Native {
  const data = isObject(response.json) ? response.json['data'] : undefined;
  if (Array.isArray(data)) return isObject(data[0]) ? data[0] : {};
  return isObject(data) ? data : {};
}

/** The list of objects under one name in the data of an answer; empty when it is not there. */
export function rowsOf(data: Native, name: string): Native[] {
  const rows = data[name];
  return Array.isArray(rows) ? rows.filter(isObject) : [];
}

/** The number of rows of all pages, as an answer's `page_info` says; 0 when it does not count. */
export function totalOf(data: Native): number {
  const info = data['page_info'];
  return isObject(info) ? Number(info['total_number'] ?? 0) || 0 : 0;
}

/** Sends a read for one ad account and answers its data. */
export async function read(input: OperationInput, endpoint: string, query: Native = {}): Promise<Native> {
  const { ctx, organization } = input;
  return dataOf(
    await ctx.request(
      call(ctx, {
        endpoint,
        organizationId: organization.id,
        query: { advertiser_id: organization.id, ...query },
      }),
    ),
  );
}

/**
 * The caller's native query parameters. The ad account of a call is named by the call itself; TikTok takes it from the
 * body of writes, so another one here would be ignored without a word.
 */
export function rawQuery({ raw, organization }: Pick<OperationInput, 'raw' | 'organization'>): Native {
  const named = raw['advertiser_id'];
  if (named !== undefined && named !== organization.id)
    throw new PolyadError('input_value_invalid', {
      message: `\`raw\` names the ad account ${String(named)}, but the call is about ${organization.id}.`,
      details: { field: 'raw.advertiser_id', reason: 'is another ad account', expected: organization.id },
    });
  return raw;
}

/** Sends a JSON write for one ad account and answers its data. `raw` travels in the query. */
export async function write(
  input: OperationInput,
  endpoint: string,
  body: Native,
  idempotent = false,
): Promise<Native> {
  const { ctx, organization } = input;
  const raw = rawQuery(input);
  return dataOf(
    await ctx.request(
      call(ctx, {
        method: 'POST',
        endpoint,
        organizationId: organization.id,
        json: { ...body, advertiser_id: organization.id },
        idempotent,
        ...(Object.keys(raw).length === 0 ? {} : { query: raw }),
      }),
    ),
  );
}

/** Which page of a list, in TikTok's words. */
export interface Page {
  page: number;
  page_size: number;
}

/**
 * The rows of numbered pages, page by page, until the last; `read` answers the data of one. A `page_info` of zeros beside
 * rows means a single page (identity/get does that in TikTok's own examples); so does a short page.
 */
export async function* numbered(
  options: { rows: string; size: number },
  read: (page: Page) => Promise<Native>,
): AsyncGenerator<Native[], void, undefined> {
  const { size } = options;
  for (let page = 1; ; page += 1) {
    const data = await read({ page, page_size: size });
    const rows = rowsOf(data, options.rows);
    yield rows;
    const total = totalOf(data);
    if (rows.length === 0 || (total > 0 ? page * size >= total : rows.length < size)) return;
  }
}

/** Every row of a list in numbered pages. */
export async function* pages(
  input: OperationInput,
  endpoint: string,
  options: { rows: string; size: number; query?: Native },
): AsyncGenerator<Native, void, undefined> {
  for await (const rows of numbered(options, (page) => read(input, endpoint, { ...options.query, ...page })))
    yield* rows;
}

/** Lists of at most `size` members. */
export function chunks<T>(list: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let start = 0; start < list.length; start += size) out.push(list.slice(start, start + size));
  return out;
}

/** Most ids that one filter takes (TikTok docs 1739315828649986, 1740302848100353); more are refused with 40011. */
export const MAX_FILTER_IDS = 100;
