/** Input at the HTTP edge: queries and bodies are checked against zod schemas, and refused by name. */
import { z } from 'zod';
import type { Unified } from '../core/connector/types.ts';
import { PolyadError } from '../core/errors/index.ts';
import { OBJECTS, type ObjectName } from '../core/model/index.ts';

/** One thing that is wrong with a request. */
interface Issue {
  /** Parameter, or dotted path of the member; empty for the whole. */
  path: string;
  reason: string;
}

const issuesOf = (error: z.ZodError): Issue[] =>
  error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), reason: 'is not known here' }))
      : [{ path: issue.path.map(String).join('.'), reason: issue.message }],
  );

const sentence = (where: string, issues: readonly Issue[]): string => {
  const [first] = issues;
  if (first === undefined) return `The ${where} is not valid.`;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return `${first.path === '' ? `The ${where}` : `\`${first.path}\``}: ${first.reason}${more}.`;
};

/**
 * The query as the schema reads it. Parameters that the schema does not have are refused by name: a mistyped filter that
 * is silently ignored would widen a list.
 *
 * @throws PolyadError `input_invalid`, `details.issues` and `details.known` say what and what else there is.
 */
export function readQuery<S extends z.ZodObject>(raw: unknown, schema: S): z.output<S> {
  const parsed = z.strictObject(schema.shape).safeParse(raw ?? {});
  if (parsed.success) return parsed.data as z.output<S>;
  const issues = issuesOf(parsed.error);
  throw new PolyadError('input_invalid', {
    message: sentence('query', issues),
    details: {
      issues,
      known: Object.keys(schema.shape).sort(),
    },
  });
}

function requireObject(raw: unknown): asserts raw is Record<string, unknown> {
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw))
    throw new PolyadError('input_body_invalid', {
      message: raw === undefined ? 'The request has no JSON body.' : 'The body must be a JSON object.',
    });
}

/**
 * The JSON body as the schema reads it.
 *
 * @throws PolyadError `input_body_invalid` when there is none or it is no object, `input_invalid` with `details.issues`.
 */
export function readBody<S extends z.ZodType>(raw: unknown, schema: S): z.output<S> {
  requireObject(raw);
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issues = issuesOf(parsed.error);
  throw new PolyadError('input_invalid', {
    message: sentence('body', issues),
    details: { issues },
  });
}

/**
 * The body of a create or an update: an object whose members have the types that the model says (the object service
 * refuses members that it does not know). The body itself is answered: what was sent is what counts in an update.
 *
 * @throws PolyadError `input_body_invalid`, `input_invalid` (`details.issues`).
 */
export function readObjectBody(raw: unknown, object: ObjectName): Unified {
  requireObject(raw);
  // Every field is optional here: which ones a platform wants at creation is its module's to say, by name.
  readBody(raw, OBJECTS[object].schema.partial());
  return raw;
}

/** A query value that may be repeated, comma-joined, or both: `a=1&a=2,3` -> `['1', '2', '3']`. */
export const manyOf = (what: string) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((value) =>
      (Array.isArray(value) ? value : [value])
        .flatMap((part) => part.split(','))
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .optional()
    .describe(what);

/** A boolean in a query: `true`, `false`, `1`, `0`, in any letter case; a bare name means true. */
export const flagOf = (what: string) =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(['true', 'false', '1', '0', ''], { error: 'must be true or false' }))
    .transform((value) => value !== 'false' && value !== '0')
    .optional()
    .meta({ description: what, type: 'boolean' });

/** The same of a query that its handler reads by itself. False when it is not there. @throws PolyadError `input_invalid` */
export function readFlag(query: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = query[name];
  if (value === undefined) return false;
  const read = FLAG.safeParse(value);
  if (read.success) return read.data === true;
  const reason = Array.isArray(value) ? 'must be given once' : 'must be true or false';
  throw new PolyadError('input_invalid', {
    message: `\`${name}\` ${reason}.`,
    details: { issues: [{ path: name, reason }] },
  });
}

const FLAG = flagOf('');

/** A name in a body: 1 to 200 characters, without the space around it. */
export const nameOf = (what: string) => z.string().trim().min(1).max(200).describe(what);

/** Records of ours in one answer: 1 to 100, 100 when not said. */
export const limitOf = z.coerce
  .number()
  .int()
  .min(1)
  .max(100)
  .optional()
  .describe('Most rows to answer: 1 to 100. Default 100.');

/** Rows to leave out first. */
export const offsetOf = z.coerce
  .number()
  .int()
  .min(0)
  .max(1_000_000)
  .optional()
  .describe('Position of the first row, from 0.');

/** An instant in a query: a date, or a date and time; without a zone it is UTC. */
export const instantOf = (what: string) =>
  z
    .string()
    .transform((text, ctx) => {
      const zoned = /^\d{4}-\d{2}-\d{2}$/.test(text)
        ? `${text}T00:00:00Z`
        : /(?:[zZ]|[+-]\d{2}:?\d{2})$/.test(text)
          ? text
          : `${text}Z`;
      const date = /^\d{4}-\d{2}-\d{2}[T ]/.test(zoned) ? new Date(zoned.replace(' ', 'T')) : new Date(Number.NaN);
      if (Number.isNaN(date.getTime())) {
        ctx.addIssue({ code: 'custom', message: 'must be a date, or a date and time, as 2026-01-31T16:00:00Z' });
        return z.NEVER;
      }
      return date;
    })
    .optional()
    .describe(what);
