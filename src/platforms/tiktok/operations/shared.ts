/** What objects have in common: lists in numbered pages; of campaigns, ad groups and ads also reading by id, status changes, updates in a safe order. */
import { isDeepStrictEqual } from 'node:util';
import { time } from '../../../core/connector/codecs.ts';
import type {
  BatchOutcome,
  CreateIdempotency,
  CreateResult,
  ListFilters,
  ListOperation,
  ObjectSpec,
  OperationInput,
  WriteContext,
} from '../../../core/connector/object-spec.ts';
import type { Native, Unified } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { call, pages, read, rowsOf, write } from '../request.ts';
import { statusFilter } from '../statuses.ts';

/** One level of the hierarchy, in the words of its endpoints. */
export interface Level {
  /** Prefix of its endpoints: `adgroup` for `adgroup/get`. */
  endpoint: 'campaign' | 'adgroup' | 'ad';
  id: 'campaign_id' | 'adgroup_id' | 'ad_id';
  ids: 'campaign_ids' | 'adgroup_ids' | 'ad_ids';
  name: 'campaign_name' | 'adgroup_name' | 'ad_name';
}

export const CAMPAIGN: Level = { endpoint: 'campaign', id: 'campaign_id', ids: 'campaign_ids', name: 'campaign_name' };
export const ADGROUP: Level = { endpoint: 'adgroup', id: 'adgroup_id', ids: 'adgroup_ids', name: 'adgroup_name' };
export const AD: Level = { endpoint: 'ad', id: 'ad_id', ids: 'ad_ids', name: 'ad_name' };

/** Most rows of a page of campaigns, ad groups and ads. */
export const PAGE_SIZE = 1_000;

/**
 * The list of an ad account in numbered pages of at most `size` rows. A total of zero beside rows is none: then a short
 * page is the end.
 */
export function numberedList(
  endpoint: string,
  size: number,
  { rows = 'list', query }: { rows?: string; query?: (filters: ListFilters) => Native } = {},
): Pick<ListOperation, 'request' | 'rows' | 'paging'> {
  return {
    request: ({ ctx, organization }, filters) =>
      call(ctx, {
        endpoint,
        organizationId: organization.id,
        query: { advertiser_id: organization.id, ...query?.(filters) },
      }),
    rows: `data.${rows}`,
    paging: {
      kind: 'page',
      page: 'page',
      size: 'page_size',
      maxSize: size,
      firstPage: 1,
      total: 'data.page_info.total_number',
    },
  };
}

/** The list of a level; `filters` adds to those that all levels have. */
export function listOf(level: Level, filters: ListOperation['filters']): ListOperation {
  return {
    ...numberedList(`${level.endpoint}/get`, PAGE_SIZE),
    filterPath: 'filtering',
    filters: {
      status: statusFilter,
      // TikTok's name search is fuzzy: it narrows, the exact check follows.
      query: {
        kind: 'native_then_local',
        apply: (value, query) => {
          query[level.name] = value;
        },
      },
      updated_gte: { kind: 'local' },
      ...filters,
    },
  };
}

/** TikTok ids are decimal digits; anything else cannot exist and would only be refused as a parameter error. */
const isNativeId = (id: string): boolean => /^\d{1,20}$/.test(id);

/** Reads one object, deleted ones too. Undefined = TikTok has none of that id in the ad account. */
export async function getById(input: OperationInput, level: Level, id: string): Promise<Native | undefined> {
  if (!isNativeId(id)) return undefined;
  const data = await read(input, `${level.endpoint}/get`, {
    filtering: { [level.ids]: [id], primary_status: 'STATUS_ALL' },
    page: 1,
    page_size: 10,
  });
  return rowsOf(data, 'list').find((row) => String(row[level.id]) === id);
}

/** The same, for an object that must be there. */
export async function reread(input: OperationInput, level: Level, id: string): Promise<Native> {
  const row = await getById(input, level, id);
  if (row === undefined) throw new PolyadError('platform_not_found', { details: { object: level.endpoint, id } });
  return row;
}

/** Sets operation_status; DELETE is soft and cannot be undone (TikTok docs 1739320994354178). */
export async function setStatus(
  input: OperationInput,
  level: Level,
  id: string,
  status: 'ENABLE' | 'DISABLE' | 'DELETE',
): Promise<void> {
  // The same status twice is the same state, so a lost answer may be asked for again.
  const data = await write(
    input,
    `${level.endpoint}/status/update`,
    { [level.ids]: [id], operation_status: status },
    true,
  );
  const [failed] = rowsOf(data, 'error_list');
  if (failed !== undefined)
    throw new PolyadError('platform_rejected', {
      message: `TikTok did not change the status: ${String(failed['error_message'] ?? 'no reason given')}`,
      details: { object: level.endpoint, id },
    });
}

/** Most ids of one status change (TikTok docs 1739320994354178 and its kin). */
const MAX_STATUS_IDS = 20;

/** Status changes of several objects in one request. Only ad groups can be changed in part. */
export function statusBatch(level: Level): NonNullable<ObjectSpec['statusBatch']> {
  return {
    maxIds: MAX_STATUS_IDS,
    async run(input, ids, { operation_status }) {
      const partly = level.endpoint === 'adgroup' ? { allow_partial_success: true } : {};
      const body = { [level.ids]: ids, operation_status, ...partly };
      const data = await write(input, `${level.endpoint}/status/update`, body, true);
      const failed = new Map(rowsOf(data, 'error_list').map((row) => [String(row[level.id]), row]));
      return ids.map((id): BatchOutcome => {
        const message = failed.get(id)?.['error_message'];
        if (!failed.has(id)) return { id };
        return { id, error: { code: 'platform_rejected', message: String(message ?? 'TikTok gave no reason.') } };
      });
    },
  };
}

/**
 * How a lost creation is found: by its name among what was created in the same place since. TikTok's name search is
 * fuzzy, so names are compared here. That a list shows a new object within two minutes is our assumption (unverified).
 */
export function findCreated(level: Level, parent: { native: string; filter: string } | undefined): CreateIdempotency {
  return {
    async find(input, { native, since }) {
      const name = native[level.name];
      if (typeof name !== 'string') return undefined;
      const filtering = {
        creation_filter_start_time: time.utcText.encode?.(since, {}),
        primary_status: 'STATUS_ALL',
        ...(parent === undefined ? {} : { [parent.filter]: [native[parent.native]] }),
      };
      const found: Native[] = [];
      for await (const row of pages(input, `${level.endpoint}/get`, {
        rows: 'list',
        size: PAGE_SIZE,
        query: { filtering },
      }))
        if (row[level.name] === name) found.push(row);
      return found;
    },
    settledMs: 120_000,
    check: `In TikTok Ads Manager, open the ad account and look for the name among its ${level.endpoint}s, deleted ones included.`,
  };
}

/** TikTok drops a second creation with the same request_id for about ten seconds, with 40050 (an independent client's notes, unverified). */
export const REQUEST_ID = { name: 'request_id', windowMs: 10_000 };

/** An update without the members that came with `raw` of a caller and only repeat what is there. */
export async function withoutEchoes(native: Native, write: WriteContext): Promise<Native> {
  const given = rawOf(write.unified);
  if (Object.keys(given).length === 0) return native;
  const current = await write.current();
  return Object.fromEntries(
    Object.entries(native).filter(([name, value]) => !(name in given && isDeepStrictEqual(current[name], value))),
  );
}

/** Members of a body that say which object it is about. They come from the path; `raw` may repeat them, not change them. */
const TARGETS: ReadonlySet<string> = new Set(['advertiser_id', 'campaign_id', 'adgroup_id', 'ad_id']);

/**
 * The members of an update that the endpoint takes. Those beyond that the object has are refused; what TikTok may have
 * added since is for it to judge.
 */
export async function bodyOf(
  native: Native,
  allowed: ReadonlySet<string>,
  write: WriteContext,
  what: string,
): Promise<Native> {
  for (const name of Object.keys(native))
    if ((!allowed.has(name) || TARGETS.has(name)) && name in (await write.current()))
      throw new PolyadError('input_field_immutable', {
        message: `TikTok does not let \`${name}\` of ${what} change after creation.`,
        details: { field: name, allowed: [...allowed].filter((one) => !TARGETS.has(one)).sort() },
      });
  return native;
}

/**
 * An update whose status travels apart from its other members. Pausing comes first and activating last, so that nothing
 * delivers with half of a change. `send` answers the row that TikTok gave back, if it gave one.
 *
 * @throws PolyadError with `details.applied`, the native members that are changed, where a later request fails
 */
export async function updateInOrder(
  input: OperationInput,
  level: Level,
  id: string,
  native: Native,
  send: (body: Native) => Promise<Native | undefined>,
  set: (status: 'ENABLE' | 'DISABLE') => Promise<void> = (status) => setStatus(input, level, id, status),
): Promise<CreateResult> {
  const { operation_status: status, ...body } = native;
  const names = Object.keys(body);
  if (status === 'DISABLE') await set('DISABLE');
  const row = names.length > 0 ? await after(status === 'DISABLE' ? [STATUS] : [], () => send(body)) : undefined;
  if (status === 'ENABLE') await after(names, () => set('ENABLE'));
  // TikTok answers an update with the whole object, but a status change with the id alone.
  return { row: status === undefined && isWhole(row, level) ? row : await reread(input, level, id) };
}

const STATUS = 'operation_status';

/** Does the second part of a change; its failure says what the first part has changed already. */
async function after<T>(applied: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (applied.length === 0 || !(error instanceof PolyadError)) throw error;
    const { code, message, details, platform, retryAfterMs } = error;
    throw new PolyadError(code, {
      message: `${message} Changed before that: ${applied.map((name) => `\`${name}\``).join(', ')}.`,
      details: { ...details, applied },
      ...(platform === undefined ? {} : { platform }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      cause: error,
    });
  }
}

/** Whether an answer holds the object and not only its id. */
function isWhole(row: Native | undefined, level: Level): row is Native {
  return row !== undefined && typeof row[level.id] === 'string' && row[level.name] !== undefined;
}

/** The row of a creation; read again where TikTok's answer holds less than the object. */
export async function created(input: OperationInput, level: Level, row: Native): Promise<CreateResult> {
  if (isWhole(row, level) && row['create_time'] !== undefined) return { row };
  const id = row[level.id];
  const stored = typeof id === 'string' ? await getById(input, level, id) : undefined;
  return { row: stored ?? row };
}

const NOT_OFFERED: ReadonlySet<string> = new Set([
  'permission_missing',
  // TikTok's 40001 does not always say that it is about a permission; where other lists answer, the account is not lost.
  'organization_access_lost',
  'platform_feature_restricted',
  'platform_environment_unsupported',
]);

/** A part of a list that this app, token or host may not read: left out of a list of everything, and said so in the log. */
export function isNotOffered(error: unknown): error is PolyadError {
  return error instanceof PolyadError && NOT_OFFERED.has(error.code);
}

/** Native members that are implied by a unified body; what the caller names in `raw` goes before them. */
export function withDefaults(unified: Unified, defaults: Native): Unified {
  const raw = unified['raw'] !== null && typeof unified['raw'] === 'object' ? (unified['raw'] as Native) : {};
  return { ...unified, raw: { ...defaults, ...raw } };
}

/** Native members that a caller gave in `raw`. */
export function rawOf(unified: Unified): Native {
  const raw = unified['raw'];
  return raw !== null && typeof raw === 'object' && !Array.isArray(raw) ? (raw as Native) : {};
}

/** A creation without the members that TikTok only gives, as they come with `raw` of an object that was read. */
export function creationBody(native: Native, readOnly: ReadonlySet<string>): Native {
  return Object.fromEntries(Object.entries(native).filter(([name]) => !readOnly.has(name)));
}

/** Checks and defaults of the budget at creation: TikTok wants a mode, and an amount for every mode but INFINITE. */
export function budgetDefaults(unified: Unified, typeName: string): Native {
  const raw = rawOf(unified);
  const amount = unified['budget_amount'] ?? raw['budget'];
  const period = unified['budget_period'] ?? raw['budget_mode'];
  if (amount === undefined && period === undefined) return { budget_mode: 'BUDGET_MODE_INFINITE' };
  const missing = amount === undefined ? 'budget_amount' : 'budget_period';
  if ((amount === undefined && period !== 'BUDGET_MODE_INFINITE') || period === undefined)
    throw new PolyadError('input_field_required', {
      message: `TikTok ${typeName}: a budget needs both an amount and a period; \`${missing}\` is missing.`,
      details: { missing: [missing] },
    });
  return {};
}
