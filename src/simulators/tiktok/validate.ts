import { type Param, TikTokError } from './types.ts';

/**
 * The wording of 40002 messages. Two forms are sourced: `Missing required field(s): account_id.` and
 * `Batch.0.properties.contents.0.content_id: Not a valid string` (TikTok docs of the Events API); the others follow
 * the same voice and are unverified. Clients must not read them by machine: TikTok documents only the code.
 */
const article = {
  string: 'string',
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  array: 'list',
  object: 'object',
};

const fail = (message: string): never => {
  throw new TikTokError(40002, message);
};

function isOfType(value: unknown, type: Param['type']): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return Number.isInteger(value) || typeof value === 'bigint';
    case 'number':
      return Number.isFinite(value) || typeof value === 'bigint';
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
  }
}

const INT64_MAX = 2n ** 63n - 1n;
const isInt64 = (text: string) =>
  /^-?\d{1,19}$/.test(text) && BigInt(text) <= INT64_MAX && BigInt(text) >= -INT64_MAX - 1n;

function checkSize(value: unknown, spec: Omit<Param, 'name'>, path: string): void {
  const { min, max } = spec;
  if (typeof value === 'number') {
    if (min !== undefined && value < min) fail(`${path}: Must be greater than or equal to ${min}.`);
    if (max !== undefined && value > max) fail(`${path}: Must be less than or equal to ${max}.`);
    return;
  }
  if (typeof value !== 'string' && !Array.isArray(value)) return;
  // A person counts characters, not UTF-16 units.
  const length = typeof value === 'string' ? [...value].length : value.length;
  if (min !== undefined && length < min) fail(`${path}: Shorter than minimum length ${min}.`);
  if (max !== undefined && length > max) fail(`${path}: Longer than maximum length ${max}.`);
}

function checkValue(value: unknown, spec: Omit<Param, 'name'>, path: string): void {
  if (!isOfType(value, spec.type)) fail(`${path}: Not a valid ${article[spec.type]}`);
  if (spec.enum && !spec.enum.includes(String(value))) {
    fail(`${path}: Invalid value: ${String(value)}. It should be one of [${spec.enum.join(', ')}].`);
  }
  if (spec.numeric && !isInt64(String(value))) fail(`${path}: Not a valid integer.`);
  checkSize(value, spec, path);
  if (spec.items && Array.isArray(value)) {
    for (const [i, item] of value.entries()) checkValue(item, spec.items, `${path}.${i}`);
  }
  if (spec.fields) checkFields(value as Record<string, unknown>, spec.fields, `${path}.`);
}

function checkFields(values: Record<string, unknown>, specs: readonly Param[], prefix: string): void {
  if (prefix.startsWith(ITEM)) {
    for (const { name, required } of specs) {
      if (required && (values[name] ?? null) === null) fail(`${prefix}${name}: Missing data for required field.`);
    }
  }
  const missing = specs.filter((spec) => spec.required && (values[spec.name] ?? null) === null);
  if (missing.length > 0) {
    fail(`Missing required field(s): ${missing.map((spec) => prefix + spec.name).join(', ')}.`);
  }
  for (const spec of specs) {
    const value = values[spec.name];
    // `null` means unset, as TikTok's own answers write it.
    if (value !== undefined && value !== null) checkValue(value, spec, prefix + spec.name);
  }
}

/**
 * Checks an endpoint's input against its declaration: presence, type, enum, size, members. Members that are not
 * declared pass: TikTok ignores them.
 * @throws TikTokError 40002 naming the first member that is wrong (all that are missing).
 */
export function validateParams(params: Record<string, unknown>, specs: readonly Param[]): void {
  checkFields(params, specs, '');
}

/** How the path of a member of a batch begins. */
const ITEM = 'Batch.';

/**
 * Checks one event of a batch and names what is wrong by its place: `Batch.0.properties.value: Not a valid number`. The
 * form is documented, the wording for missing members is (unverified).
 * @param path `Batch.<index>`, or empty for an event that stands alone.
 * @throws TikTokError 40002
 */
export function validateItem(value: unknown, specs: readonly Param[], path: string): Record<string, unknown> {
  if (!isOfType(value, 'object')) fail(`${path}: Not a valid object`);
  const item = value as Record<string, unknown>;
  checkFields(item, specs, path === '' ? '' : `${path}.`);
  return item;
}

/**
 * Turns the text values of a query, a form or multipart parts into what the declaration says: JSON documents for
 * arrays and objects, numbers, `true|false`. Values that are already typed and names that are not declared stay.
 * @throws TikTokError 40002 for an array or object that is no JSON document.
 */
export function decodeText(values: Record<string, unknown>, specs: readonly Param[]): Record<string, unknown> {
  const decoded: Record<string, unknown> = { ...values };
  for (const { name, type } of specs) {
    const value = values[name];
    if (typeof value !== 'string') continue;
    if (type === 'array' || type === 'object') {
      try {
        decoded[name] = JSON.parse(value);
      } catch {
        fail(`${name}: Not a valid ${article[type]}: it must be one JSON document.`);
      }
    } else if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(value)) {
      decoded[name] = Number(value);
    } else if (type === 'boolean' && /^(true|false)$/i.test(value)) {
      decoded[name] = value.toLowerCase() === 'true';
    }
  }
  return decoded;
}
