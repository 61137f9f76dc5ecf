/** Query parameters of the advertising endpoints: what each object takes, parsed and checked. */
import { z } from 'zod';
import { PolyadError } from '../errors/index.ts';
import { EFFECTIVE_STATUSES, GOALS, STATUSES } from './enums.ts';
import { ALL_DIMENSIONS, type Dimension, REPORT_LEVELS, type ReportLevel } from './enums-report.ts';
import { type FieldSelection, parseFields } from './fields.ts';
import { ALL_METRICS, type Metric } from './metrics-table.ts';
import { type FilterName, ITEM_OPTIONS, LIST_OPTIONS, OBJECTS } from './objects.ts';
import type { ObjectName } from './permissions.ts';
import { isDate, isoFromText } from './time.ts';

/** Page size when none is asked. */
export const DEFAULT_LIMIT = 100;
/** Largest page. Larger than what clients of the wire contract know, so a bigger `limit` is honoured, never cut. */
export const MAX_LIMIT = 1000;
/** Largest page of reports. Without `limit` a report is answered whole: half a report is a wrong number. */
export const MAX_REPORT_LIMIT = 10_000;
/** By what a list can be sorted. */
export const SORT_KEYS = ['name', 'created_at', 'updated_at'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** Query parameters as a server parses them: a parameter given more than once is a list. */
export type RawQuery = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One end of a window. */
export interface DateBound {
  /** The instant, ISO 8601 in UTC. A date alone is its midnight in UTC. */
  iso: string;
  /** The date as it was sent, when it came without a time: reports take it as a day of the account. */
  date?: string;
}

/** A parsed list call. Absent members were not sent. */
export interface ListQuery {
  object: ObjectName;
  /** Rows to return. Undefined on reports alone: all. */
  limit: number | undefined;
  /** Rows to skip. */
  offset: number;
  sort?: SortKey;
  order: 'asc' | 'desc';
  /** Which fields to answer; undefined = all but `raw`. */
  fields: FieldSelection | undefined;
  /** Native query parameters of the caller; a repeated one is a list. */
  raw: Record<string, unknown>;
  /** Filters but the report's `type` and `dimension`, and `query` and `updated_gte`. Instants are ISO 8601 in UTC. */
  filters: Partial<Record<Exclude<FilterName, 'dimension'> | 'query' | 'updated_gte', string>>;
  start?: DateBound;
  end?: DateBound;
  /** Reports: metrics asked for, without doubles. Empty = the platform's usual ones. */
  metrics: Metric[];
  /** Reports: breakdowns asked for, without doubles. */
  dimensions: Dimension[];
  /** Reports: what one row stands for (an addition of polyad); undefined = follows from the filters. */
  level?: ReportLevel;
}

/** A parsed get, create, update or remove call. */
export interface ItemQuery {
  fields: FieldSelection | undefined;
  raw: Record<string, unknown>;
}

const once = z.string({ error: (issue) => (Array.isArray(issue.input) ? 'must be given once' : 'must be text') });
const text = once.transform((value) => value.trim()).pipe(z.string().min(1, 'must not be empty'));

const whole = (min: number, max: number) =>
  once
    .refine((value) => /^\d{1,15}$/.test(value), `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`);

const bound = once.transform((value, ctx): DateBound => {
  // A plus that was not percent-encoded arrives as a space.
  const sent = value.trim().replace(/ (\d\d:?\d\d)$/, (tail, zone) => (/T.*:.* /.test(value) ? `+${zone}` : tail));
  const iso = isoFromText(sent);
  if (iso === undefined) {
    ctx.addIssue({
      code: 'custom',
      message: 'must be a date or an ISO 8601 date and time, such as 2026-01-31T16:00:00Z',
    });
    return z.NEVER;
  }
  return isDate(sent) ? { iso, date: sent } : { iso };
});

/** A comma list of enum values, exactly as written there. */
function valueList<const T extends readonly [string, ...string[]]>(values: T) {
  const known: ReadonlySet<string> = new Set(values);
  return once.transform((value, ctx): T[number][] => {
    const names = [...new Set(value.split(',').map((name) => name.trim()))].filter((name) => name !== '');
    const unknown = names.filter((name) => !known.has(name));
    if (unknown.length > 0) {
      ctx.addIssue({ code: 'custom', message: `unknown: ${unknown.join(', ')}`, params: { unknown, allowed: values } });
      return z.NEVER;
    }
    return names;
  });
}

/** `foo=bar&zoo=bar`, the decoded value of the `raw` parameter, as native parameters. */
export function parseRawParameters(value: string): Record<string, unknown> {
  const out: Record<string, unknown> = Object.create(null);
  for (const [name, member] of new URLSearchParams(value)) {
    const before = out[name];
    out[name] = before === undefined ? member : Array.isArray(before) ? [...before, member] : [before, member];
  }
  return { ...out };
}

const texts = z.union([z.string(), z.array(z.string())]);
const rawParameter = once.transform(parseRawParameters);

const COMMON = {
  offset: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  updated_gte: bound.optional(),
  sort: once.pipe(z.enum(SORT_KEYS)).optional(),
  order: once
    .transform((value) => value.toLowerCase())
    .pipe(z.enum(['asc', 'desc']))
    .optional(),
  query: text.optional(),
  fields: texts.optional(),
  raw: rawParameter.optional(),
};

/** Filters whose values are an enum of the model, on all platforms; a value beside it would only find nothing. */
const ENUM_FILTERS: Readonly<Partial<Record<FilterName, readonly [string, ...string[]]>>> = {
  status: STATUSES,
  effective_status: EFFECTIVE_STATUSES,
  goal: GOALS,
};

/** Schema of the query of a list: strict, so that a mistyped filter is an error and not a longer list. */
export function listQuerySchema(object: ObjectName) {
  const filters: Record<string, z.ZodType> = {};
  for (const name of OBJECTS[object].filters) {
    const values = ENUM_FILTERS[name];
    if (values !== undefined) filters[name] = text.pipe(z.enum(values)).optional();
    else if (name === 'start_gte' || name === 'end_lt') filters[name] = bound.optional();
    else if (name === 'dimension') filters[name] = valueList(ALL_DIMENSIONS).optional();
    else if (name === 'type' && object === 'report') filters[name] = valueList(ALL_METRICS).optional();
    else filters[name] = text.optional();
  }
  if (object === 'report') filters['level'] = once.pipe(z.enum(REPORT_LEVELS)).optional();
  const limit = whole(1, object === 'report' ? MAX_REPORT_LIMIT : MAX_LIMIT).optional();
  return z.strictObject({ limit, ...COMMON, ...filters });
}

const listSchemas = new Map<ObjectName, ReturnType<typeof listQuerySchema>>();

/** Names of all query parameters that the list of an object takes. */
export function listParameterNames(object: ObjectName): string[] {
  return [...LIST_OPTIONS, ...OBJECTS[object].filters, ...(object === 'report' ? ['level'] : [])];
}

/**
 * Parses the query of a list. Throws PolyadError `input_invalid`, whose `details.issues` names each wrong parameter, and
 * InvalidFieldError for a wrong name in `fields`.
 */
export function parseListQuery(object: ObjectName, query: RawQuery): ListQuery {
  let schema = listSchemas.get(object);
  if (!schema) {
    schema = listQuerySchema(object);
    listSchemas.set(object, schema);
  }
  const result = schema.safeParse(query);
  if (!result.success) throw invalidQuery(result.error, listParameterNames(object));
  const { limit, offset, sort, order, fields, raw, updated_gte, ...others } = result.data;
  const { level: levelGiven, ...rest } = others as Record<string, unknown>;
  const start = rest['start_gte'] as DateBound | undefined;
  const end = rest['end_lt'] as DateBound | undefined;
  const level = levelGiven as ReportLevel | undefined;
  if (start && end && Date.parse(start.iso) >= Date.parse(end.iso))
    throw new PolyadError('input_invalid', {
      message: '`start_gte` must be before `end_lt`.',
      details: { issues: [{ path: 'end_lt', reason: 'must be after start_gte' }] },
    });
  const filters: ListQuery['filters'] = {};
  if (updated_gte) filters.updated_gte = updated_gte.iso;
  if (start) filters.start_gte = start.iso;
  if (end) filters.end_lt = end.iso;
  for (const [name, value] of Object.entries(rest))
    if (typeof value === 'string' && name !== 'level') filters[name as keyof ListQuery['filters']] = value;
  const isReport = object === 'report';
  return {
    object,
    limit: limit ?? (isReport ? undefined : DEFAULT_LIMIT),
    offset: offset ?? 0,
    ...(sort === undefined ? {} : { sort }),
    order: order ?? 'asc',
    fields: parseFields(object, fields),
    raw: raw ?? {},
    filters,
    ...(start ? { start } : {}),
    ...(end ? { end } : {}),
    ...(level ? { level } : {}),
    metrics: isReport ? ((rest['type'] as Metric[] | undefined) ?? []) : [],
    dimensions: (rest['dimension'] as Dimension[] | undefined) ?? [],
  };
}

const itemSchema = z.strictObject({ fields: texts.optional(), raw: rawParameter.optional() });

/**
 * Parses the query of get, create, update and remove: `fields` and `raw`. `extra` names further parameters that the
 * caller of this function reads by itself. Throws as `parseListQuery` does.
 */
export function parseItemQuery(object: ObjectName, query: RawQuery, extra: readonly string[] = []): ItemQuery {
  const own = Object.fromEntries(Object.entries(query).filter(([name]) => !extra.includes(name)));
  const result = itemSchema.safeParse(own);
  if (!result.success) throw invalidQuery(result.error, [...ITEM_OPTIONS, ...extra]);
  return { fields: parseFields(object, result.data.fields), raw: result.data.raw ?? {} };
}

function invalidQuery(error: z.ZodError, known: readonly string[]): PolyadError {
  const issues = error.issues.flatMap((issue): { path: string; reason: string; allowed?: readonly string[] }[] => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((path) => ({ path, reason: 'unknown here', allowed: known }));
    const path = String(issue.path[0] ?? '');
    if (issue.code === 'invalid_value') return [{ path, reason: 'unknown value', allowed: issue.values.map(String) }];
    const allowed = issue.code === 'custom' ? (issue.params?.['allowed'] as readonly string[] | undefined) : undefined;
    return [{ path, reason: issue.message, ...(allowed ? { allowed } : {}) }];
  });
  const named = issues.map(({ path, reason }) => `\`${path}\` ${reason}`).join('; ');
  return new PolyadError('input_invalid', { message: `Query: ${named}.`, details: { issues } });
}
