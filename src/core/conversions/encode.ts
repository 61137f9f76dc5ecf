/**
 * From our event to the platform's, by the platform's field rules. The rules are read once per platform and source; an
 * event is then one walk over them, so that thousands of events a second leave time for others.
 */
import type {
  ConversionField,
  ConversionSource,
  ConversionSourceSpec,
  ConversionSpec,
} from '../connector/conversion-spec.ts';
import { PolyadError } from '../errors/index.ts';
import { type AdsConversion, CONVERSION_EVENTS } from '../model/conversion.ts';
import { parseDecimal } from '../model/decimal.ts';
import { normalised, Unfit } from './normalise.ts';

type Members = Record<string, unknown>;

/** Members that are not the platform's to map: the core reads them. */
const OWN = new Set(['event', 'event_id', 'occurred_at', 'source', 'consent', 'test_code', 'raw']);
/** Members whose names are the platforms' own: one event carries those of several, and each platform takes its own. */
const FOREIGN_NAMES = ['user.click_ids.', 'user.browser_ids.'];
const STANDARD: ReadonlySet<string> = new Set(CONVERSION_EVENTS);

const MAX_SIGNIFICANT = 15;

/** A rule with its paths taken apart. */
interface Rule {
  field: ConversionField;
  from: readonly string[];
  to: readonly string[];
}

/** An event as one platform takes it. */
export interface EncodedEvent {
  /** JSON text. */
  text: string;
  native: Members;
}

const at = (object: unknown, path: readonly string[]): unknown => {
  let value = object;
  for (const name of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Members)[name];
  }
  return value;
};

function put(object: Members, path: readonly string[], value: unknown): void {
  let here = object;
  for (let index = 0; index < path.length - 1; index += 1) {
    const name = path[index] as string;
    here[name] ??= {};
    here = here[name] as Members;
  }
  here[path.at(-1) as string] = value;
}

/** Dotted paths of everything that an event sets, down to what the model treats as one value. */
function* leaves(value: Members, prefix = ''): Generator<string> {
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const path = `${prefix}${name}`;
    if (member !== null && typeof member === 'object' && !Array.isArray(member))
      yield* leaves(member as Members, `${path}.`);
    else yield path;
  }
}

const refuse = (field: string, reason: string, more: Members = {}): PolyadError =>
  new PolyadError('input_value_invalid', { message: `\`${field}\` ${reason}.`, details: { field, reason, ...more } });

/** A number that says exactly what the decimal says. */
function exactNumber(field: string, value: unknown): number {
  const decimal = parseDecimal(value) as string;
  const number = Number(decimal);
  if (decimal.replace(/[-.]/g, '').replace(/^0+/, '').length > MAX_SIGNIFICANT || parseDecimal(number) !== decimal)
    throw refuse(field, `has more digits than the platform's numbers keep exactly (${MAX_SIGNIFICANT})`);
  return number;
}

/** Turns events into the platform's. One per platform and source. */
export class EventEncoder {
  readonly #platform: string;
  readonly #source: ConversionSource;
  readonly #spec: ConversionSourceSpec;
  readonly #rules: readonly Rule[];
  readonly #known: ReadonlySet<string>;
  readonly #natives: ReadonlySet<string>;
  readonly #guarded: readonly string[];

  /** @param platform name for messages. */
  constructor(platform: string, spec: ConversionSpec, source: ConversionSource) {
    this.#platform = platform;
    this.#source = source;
    this.#spec = spec.sources[source] as ConversionSourceSpec;
    const fields = spec.fields.filter(({ sources }) => sources === undefined || sources.includes(source));
    this.#rules = fields.map((field) => ({ field, from: field.unified.split('.'), to: field.native.split('.') }));
    this.#known = new Set(fields.map(({ unified }) => unified));
    this.#natives = new Set([...Object.values(this.#spec.events), ...this.#spec.natives]);
    this.#guarded = [...spec.reserved, ...spec.fields.filter((one) => one.hash !== undefined).map((one) => one.native)];
  }

  /** Members of our event that this source takes, for messages and the capability map. */
  get fields(): string[] {
    return [...this.#known].sort();
  }

  /** Our members and the platform's names for them. */
  get names(): Record<string, string> {
    return Object.fromEntries(this.#rules.map(({ field }) => [field.unified, field.native]));
  }

  /**
   * The platform's name of an event.
   *
   * @throws PolyadError `input_value_unsupported`
   */
  eventName(event: string): string {
    const { events, custom } = this.#spec;
    const mapped = Object.hasOwn(events, event) ? events[event] : undefined;
    if (mapped !== undefined) return mapped;
    if (this.#natives.has(event)) return event;
    if (custom && !STANDARD.has(event)) return event;
    const own = custom ? ' Names of your own are taken as well.' : '';
    throw new PolyadError('input_value_unsupported', {
      message: `${this.#platform} has no event \`${event}\` for the source ${this.#source.toUpperCase()}.${own}`,
      details: {
        field: 'event',
        allowed: [
          ...Object.keys(events),
          ...[...this.#natives].filter((name) => !Object.values(events).includes(name)),
        ],
        custom,
      },
    });
  }

  /**
   * The event in the platform's form. `limited`: with limited use of its data.
   *
   * @throws PolyadError `input_field_unsupported`, `input_field_required`, `input_value_invalid`,
   *   `input_value_unsupported`: each names the member and never repeats its value.
   */
  encode(event: AdsConversion, name: string, limited: boolean): EncodedEvent {
    this.#refuseUnknown(event);
    this.#refuseMissing(event);
    const native: Members = {};
    const given = { ...event, event: name } as Members;
    for (const rule of this.#rules) {
      const value = at(given, rule.from);
      if (value !== undefined) put(native, rule.to, this.#value(rule.field, value));
    }
    if (this.#spec.limited !== undefined) put(native, this.#spec.limited.split('.'), limited);
    if (event.raw !== undefined) this.#merge(native, event.raw, '');
    return { native, text: JSON.stringify(native) };
  }

  #value(field: ConversionField, value: unknown): unknown {
    const { unified } = field;
    switch (field.value) {
      case 'number':
        return exactNumber(unified, value);
      case 'epoch_s':
        return Math.floor(Date.parse(value as string) / 1000);
      case 'contents':
        return (value as Members[]).map((one, index) => this.#content(field, one, index));
      case 'integer':
      case 'boolean':
        return value;
      default:
        return Array.isArray(value) ? this.#texts(field, value as string[]) : this.#text(field, value as string);
    }
  }

  #texts(field: ConversionField, values: readonly string[]): string[] {
    if (field.many !== true && field.value !== 'texts')
      throw refuse(field.unified, `is one value at ${this.#platform}, not a list`);
    return [...new Set(values.map((value) => this.#text(field, value)))];
  }

  #text(field: ConversionField, value: string): string {
    const { unified, values, allowed } = field;
    if (values !== undefined) {
      const mapped = Object.hasOwn(values, value) ? values[value] : undefined;
      if (mapped !== undefined) return mapped;
      throw this.#unsupported(unified, Object.keys(values));
    }
    if (allowed !== undefined && !allowed.includes(value)) throw this.#unsupported(unified, allowed);
    try {
      return normalised(value, field);
    } catch (error) {
      if (error instanceof Unfit) throw refuse(unified, error.message);
      throw error;
    }
  }

  #content(field: ConversionField, content: Members, index: number): Members {
    const out: Members = {};
    for (const [name, value] of Object.entries(content)) {
      const path = `${field.unified}.${index}.${name}`;
      const member = field.members?.[name];
      if (member === undefined)
        throw new PolyadError('input_field_unsupported', {
          message: `${this.#platform} does not take \`${path}\`.`,
          details: { fields: [path], allowed: Object.keys(field.members ?? {}) },
        });
      out[member.native] = member.value === 'number' ? exactNumber(path, value) : value;
    }
    return out;
  }

  #unsupported(field: string, allowed: readonly string[]): PolyadError {
    return new PolyadError('input_value_unsupported', {
      message: `${this.#platform} does not take this value of \`${field}\`.`,
      details: { field, allowed: [...allowed] },
    });
  }

  #refuseUnknown(event: AdsConversion): void {
    const unknown: string[] = [];
    for (const [name, value] of Object.entries(event as Members)) {
      if (value === undefined || OWN.has(name)) continue;
      const paths =
        value !== null && typeof value === 'object' && !Array.isArray(value)
          ? leaves(value as Members, `${name}.`)
          : [name];
      for (const path of paths)
        if (!this.#known.has(path) && !FOREIGN_NAMES.some((prefix) => path.startsWith(prefix))) unknown.push(path);
    }
    if (unknown.length === 0) return;
    throw new PolyadError('input_field_unsupported', {
      message: `${this.#platform} does not take ${unknown.map((path) => `\`${path}\``).join(', ')} for the source ${this.#source.toUpperCase()}.`,
      details: { fields: unknown, allowed: this.fields },
    });
  }

  #refuseMissing(event: AdsConversion): void {
    const has = (path: string): boolean => at(event, path.split('.')) !== undefined;
    const missing = (this.#spec.required ?? []).filter((path) => !has(path));
    const sets = (this.#spec.oneOf ?? []).filter((paths) => !paths.some(has));
    if (missing.length === 0 && sets.length === 0) return;
    const words = [
      ...missing.map((path) => `\`${path}\``),
      ...sets.map((paths) => paths.map((path) => `\`${path}\``).join(' or ')),
    ];
    throw new PolyadError('input_field_required', {
      message: `${this.#platform} needs ${words.join(', ')} for the source ${this.#source.toUpperCase()}.`,
      details: { missing, ...(sets.length === 0 ? {} : { one_of: sets }) },
    });
  }

  /** Lays native members over the event. What this shape has is not set past it: it would go unhashed or unchecked. */
  #merge(into: Members, from: Members, prefix: string): void {
    for (const [name, value] of Object.entries(from)) {
      const path = `${prefix}${name}`;
      if (['__proto__', 'constructor', 'prototype'].includes(name))
        throw refuse(`raw.${path}`, 'is no name of a member');
      if (this.#guarded.includes(path))
        throw refuse(`raw.${path}`, 'is set by this shape, not natively', { instead: 'the member of the event' });
      const here = into[name];
      const both = isMembers(here) && isMembers(value);
      if (both || (isMembers(value) && this.#guarded.some((one) => one.startsWith(`${path}.`)))) {
        into[name] ??= {};
        this.#merge(into[name] as Members, value as Members, `${path}.`);
      } else if (this.#guarded.some((one) => one.startsWith(`${path}.`)))
        throw refuse(`raw.${path}`, 'must be an object');
      else into[name] = value;
    }
  }
}

const isMembers = (value: unknown): value is Members =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
