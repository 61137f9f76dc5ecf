/**
 * TikTok's official per-operation OpenAPI documents as a judge of requests and answers. They are not part of the
 * repository: `POLYAD_SPECS_DIR` names the folder that has `tiktok/yml_files` (from the official
 * tiktok-business-api-sdk). Without it the checks are skipped, and say so.
 *
 * What the documents decide: which parameters there are, with their types, enums and bounds; the envelope; the names and
 * nesting of the members of `data`. They do not type the leaves of `data`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { parse } from 'yaml';

type Json = Record<string, unknown>;

interface Schema {
  type?: string;
  format?: string;
  nullable?: boolean;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  'x-open-convert'?: string[];
  'x-open-enum'?: { strict?: boolean; enums?: { key: string; is_valid?: boolean }[] };
}

interface Parameter {
  name: string;
  required?: boolean;
  schema?: Schema;
  content?: Record<string, { schema: Schema }>;
}

interface Document {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  'x-open-rules'?: { response_rule?: Rule | null };
  'x-open-settings'?: { pop_resp_nullvalue?: boolean };
}

/** Members of `data`: `name[][]` = list of objects, `name[]` or a nested object = object, a text = leaf. */
type Rule = { [name: string]: string | Rule | Rule[] };

const LEAF_INT64 = /^-?\d{1,19}$/;

function checkSchema(value: unknown, schema: Schema, path: string): string[] {
  if (value === null) return schema.nullable === false ? [`${path}: null is not allowed`] : [];
  const wrong = (what: string) => [`${path}: ${what}, got ${JSON.stringify(value)?.slice(0, 80)}`];
  const found: string[] = [];
  switch (schema.type) {
    case 'string': {
      if (typeof value !== 'string') return wrong('must be a string');
      if (schema['x-open-convert']?.includes('int64(%s)') && !LEAF_INT64.test(value)) {
        found.push(...wrong('must be an int64 as a string'));
      }
      const length = [...value].length;
      if (schema.maxLength !== undefined && length > schema.maxLength)
        found.push(...wrong(`longer than ${schema.maxLength}`));
      if (schema.minLength !== undefined && length < schema.minLength)
        found.push(...wrong(`shorter than ${schema.minLength}`));
      break;
    }
    case 'integer':
    case 'number':
      if (typeof value !== 'number') return wrong(`must be a ${schema.type}`);
      if (schema.type === 'integer' && !Number.isInteger(value)) return wrong('must be an integer');
      if (schema.minimum !== undefined && value < schema.minimum) found.push(...wrong(`less than ${schema.minimum}`));
      if (schema.maximum !== undefined && value > schema.maximum) found.push(...wrong(`more than ${schema.maximum}`));
      break;
    case 'boolean':
      if (typeof value !== 'boolean') return wrong('must be a boolean');
      break;
    case 'array':
      if (!Array.isArray(value)) return wrong('must be an array');
      if (schema.maxItems !== undefined && value.length > schema.maxItems)
        found.push(...wrong(`more than ${schema.maxItems} items`));
      if (schema.minItems !== undefined && value.length < schema.minItems)
        found.push(...wrong(`fewer than ${schema.minItems} items`));
      if (schema.items)
        for (const [i, item] of value.entries()) found.push(...checkSchema(item, schema.items, `${path}[${i}]`));
      break;
    case 'object':
      if (typeof value !== 'object' || Array.isArray(value)) return wrong('must be an object');
      found.push(...checkMembers(value as Json, schema, path));
      break;
    default:
  }
  const choices = schema['x-open-enum'];
  if (choices?.strict && choices.enums && (typeof value === 'string' || typeof value === 'number')) {
    const keys = choices.enums.filter((item) => item.is_valid !== false).map((item) => String(item.key));
    if (!keys.includes(String(value))) found.push(...wrong(`must be one of ${keys.join(', ')}`));
  }
  return found;
}

function checkMembers(value: Json, schema: Schema, path: string): string[] {
  const properties = schema.properties ?? {};
  const found = (schema.required ?? [])
    .filter((name) => value[name] === undefined)
    .map((name) => `${path}.${name}: missing`);
  for (const [name, member] of Object.entries(value)) {
    const known = properties[name];
    if (member === undefined) continue;
    if (known) found.push(...checkSchema(member, known, `${path}.${name}`));
    else if (Object.keys(properties).length > 0) found.push(`${path}.${name}: not a documented member`);
  }
  return found;
}

function checkRule(value: unknown, rule: Rule, path: string, nullsDropped: boolean): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: must be an object`];
  const found: string[] = [];
  for (const [key, inner] of Object.entries(rule)) {
    const name = key.replaceAll('[]', '');
    const member = (value as Json)[name];
    const where = `${path}.${name}`;
    if (member === undefined) {
      if (!nullsDropped) found.push(`${where}: missing`);
      continue;
    }
    if (member === null) {
      if (nullsDropped) found.push(`${where}: null members are dropped by this endpoint`);
      continue;
    }
    const isList = key.endsWith('[][]');
    const nested = Array.isArray(inner) ? inner[0] : inner;
    if (isList && !Array.isArray(member)) found.push(`${where}: must be a list`);
    if (nested === undefined || typeof nested === 'string') continue;
    const items = isList ? (Array.isArray(member) ? member : []) : [member];
    for (const [i, item] of items.entries()) {
      found.push(...checkRule(item, nested, isList ? `${where}[${i}]` : where, nullsDropped));
    }
  }
  return found;
}

const isInteger = (value: unknown) => Number.isInteger(value);

/** One official document. */
export class TikTokOperation {
  readonly method: 'GET' | 'POST';
  /** Without leading and trailing slash: `bc/asset/get`. */
  readonly path: string;
  private readonly document: Document;

  constructor(method: 'GET' | 'POST', path: string, document: Document) {
    this.method = method;
    this.path = path;
    this.document = document;
  }

  /**
   * What is wrong with a whole answer, as a list of texts; empty = it fits. An answer with a code other than 0 is judged
   * by its envelope alone. Members that the document does not name are allowed: TikTok adds such without notice.
   */
  checkAnswer(answer: unknown): string[] {
    if (typeof answer !== 'object' || answer === null) return ['the answer is no object'];
    const { code, message, request_id: requestId, data } = answer as Json;
    const found: string[] = [];
    if (!isInteger(code)) found.push('code: must be an integer');
    if (typeof message !== 'string') found.push('message: must be a string');
    if (typeof requestId !== 'string') found.push('request_id: must be a string');
    if (data !== undefined && data !== null && typeof data !== 'object') found.push('data: must be an object');
    if (code !== 0) return found;
    const rule = this.document['x-open-rules']?.response_rule;
    if (rule) found.push(...checkRule(data, rule, 'data', this.nullsDropped));
    const pageInfo = (data as Json | undefined)?.['page_info'];
    if (pageInfo !== undefined && pageInfo !== null) {
      for (const name of ['page', 'page_size', 'total_number', 'total_page']) {
        const value = (pageInfo as Json)[name];
        if (value !== undefined && !isInteger(value)) found.push(`data.page_info.${name}: must be an integer`);
      }
    }
    return found;
  }

  /** The gateway drops members that are null from this operation's answers. */
  get nullsDropped(): boolean {
    return this.document['x-open-settings']?.pop_resp_nullvalue === true;
  }

  /** What is wrong with the query of a GET: raw text values as sent, percent-decoded. */
  checkQuery(query: Record<string, string>): string[] {
    const found: string[] = [];
    const known = new Map(this.parameters().map((parameter) => [parameter.name, parameter]));
    for (const parameter of known.values()) {
      if (parameter.required && query[parameter.name] === undefined) found.push(`${parameter.name}: missing`);
    }
    for (const [name, text] of Object.entries(query)) {
      const parameter = known.get(name);
      const schema = parameter?.schema ?? Object.values(parameter?.content ?? {})[0]?.schema;
      if (!schema) {
        found.push(`${name}: not a documented parameter`);
        continue;
      }
      let value: unknown = text;
      if (schema.type !== 'string' && schema.type !== undefined) {
        try {
          value = JSON.parse(text);
        } catch {
          found.push(`${name}: must be one JSON document, got ${text.slice(0, 80)}`);
          continue;
        }
      }
      found.push(...checkSchema(value, schema, name));
    }
    return found;
  }

  /** What is wrong with the JSON body (or, for multipart, the text parts by name) of a POST. */
  checkBody(body: Json): string[] {
    const schema = Object.values(this.document.requestBody?.content ?? {})[0]?.schema;
    return schema ? checkMembers(body, schema, 'body') : [];
  }

  /** `Access-Token` is declared as a query parameter and travels as a header. */
  private parameters(): Parameter[] {
    return (this.document.parameters ?? []).filter((parameter) => parameter.name !== 'Access-Token');
  }
}

/** The official documents, read when asked for. */
export class TikTokSpecs {
  private readonly dir: string;
  private readonly read = new Map<string, TikTokOperation | undefined>();

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Paths (`bc/asset/get`) that have a document. */
  paths(): string[] {
    return readdirSync(this.dir)
      .filter((name) => name.endsWith('.yml'))
      .map((name) => this.load(name)!.path)
      .sort();
  }

  /** The document of a path, with or without slashes at its ends; undefined if there is none. */
  operation(path: string): TikTokOperation | undefined {
    return this.load(`${path.replace(/^\/+|\/+$/g, '').replaceAll('/', '_')}.yml`);
  }

  private load(file: string): TikTokOperation | undefined {
    if (this.read.has(file)) return this.read.get(file);
    const full = join(this.dir, file);
    let operation: TikTokOperation | undefined;
    if (existsSync(full)) {
      const { paths } = parse(readFileSync(full, 'utf8')) as { paths: Record<string, Record<string, Document>> };
      const [path, methods] = Object.entries(paths)[0]!;
      const [method, document] = Object.entries(methods)[0]!;
      operation = new TikTokOperation(method.toUpperCase() as 'GET' | 'POST', path.replace(/^\/|\/$/g, ''), document);
    }
    this.read.set(file, operation);
    return operation;
  }
}

/** The documents of `POLYAD_SPECS_DIR`, or undefined if it is not set. */
export function tiktokSpecs(): TikTokSpecs | undefined {
  const dir = process.env['POLYAD_SPECS_DIR'];
  if (!dir) return undefined;
  const files = join(dir, 'tiktok', 'yml_files');
  if (!existsSync(files)) throw new Error(`POLYAD_SPECS_DIR is ${dir}, but there is no ${files}`);
  return new TikTokSpecs(files);
}

/**
 * A group of tests that need the official documents. Without them it is one passing test whose name says that the group
 * was skipped and why, and a line on stderr.
 */
export function describeWithTikTokSpecs(name: string, body: (specs: TikTokSpecs) => void): void {
  const specs = tiktokSpecs();
  if (specs) {
    describe(name, () => body(specs));
    return;
  }
  const notice = `skipped: ${name} (POLYAD_SPECS_DIR is not set)`;
  process.stderr.write(`\n*** ${notice}\n\n`);
  it(notice, () => {});
}
