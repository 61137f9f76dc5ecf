import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/core/errors/index.ts';
import { CONTRACT_OBJECT_NAMES, OBJECT_NAMES, OBJECTS } from '../../src/core/model/index.ts';
import { openApiPath } from '../../src/server/openapi/document.ts';
import { type Harness, startHarness } from './support/harness.ts';
import { json } from './support/upstream.ts';

// biome-ignore lint/suspicious/noExplicitAny: a document of many shapes.
type Doc = any;

let h: Harness;
let document: Doc;
beforeAll(async () => {
  h = await startHarness();
  document = await (await h.fetch('/openapi.json', { key: null })).json();
});
afterAll(() => h.close());

const operations = (): { path: string; method: string; operation: Doc }[] =>
  Object.entries(document.paths as Record<string, Record<string, Doc>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1 whose references all lead somewhere', () => {
    expect(document.openapi).toBe('3.1.0');
    const missing: string[] = [];
    const walk = (value: Doc): void => {
      if (value === null || typeof value !== 'object') return;
      const ref: unknown = value.$ref;
      if (typeof ref === 'string') {
        const found = ref
          .replace(/^#\//, '')
          .split('/')
          .reduce<Doc>((at, key) => at?.[key], document);
        if (found === undefined) missing.push(ref);
      }
      for (const member of Object.values(value)) walk(member);
    };
    walk(document);
    expect(missing).toEqual([]);
  });

  it('has every object and method of the contract, under the names that clients know', () => {
    const ids = operations().map(({ operation }) => operation.operationId as string);
    expect(new Set(ids).size).toBe(ids.length);
    for (const name of OBJECT_NAMES) {
      const type = `Ads${name.replace(/(?:^|_)(.)/g, (_all, letter: string) => letter.toUpperCase())}`;
      const { list, get, create, update, remove } = OBJECTS[name].methods;
      expect(ids.includes(`list${type}s`)).toBe(list);
      expect(ids.includes(`get${type}`)).toBe(get);
      expect(ids.includes(`create${type}`)).toBe(create);
      expect(ids.includes(`update${type}`)).toBe(update);
      expect(ids.includes(`patch${type}`)).toBe(update);
      expect(ids.includes(`remove${type}`)).toBe(remove);
    }
  });

  it('names the operations of the API as the published client does', async () => {
    const dir = new URL('../../node_modules/@unified-api/typescript-sdk/src/sdk/', import.meta.url);
    const methods = new Set<string>();
    for (const file of ['ads.ts', 'unified.ts'])
      for (const match of (await readFile(new URL(file, dir), 'utf8')).matchAll(/^ {2}async (\w+)\(/gm))
        methods.add(match[1] as string);
    const ours = operations()
      // What polyad adds under /ads is unknown to that client.
      .filter(({ path }) =>
        path.startsWith('/ads/')
          ? (CONTRACT_OBJECT_NAMES as readonly string[]).includes(path.split('/')[3] as string)
          : path.startsWith('/unified/'),
      )
      .map(({ operation }) => operation.operationId as string);
    expect(ours.filter((id) => !methods.has(id))).toEqual([]);
    expect(ours).toHaveLength(44 + 6 + 3 + 2);
  });

  it('describes every route of the API, and no other', () => {
    const described = operations().map(({ path, method }) => `${method} ${path}`);
    const pages = /^GET \/$| \/(docs|assets|dashboard|connect|webhooks|favicon|robots)/;
    const served = h.app.routeTable
      .all()
      .map(({ method, url }) => `${method} ${openApiPath(url)}`)
      .filter((line) => !pages.test(line));
    expect(described.sort()).toEqual(served.sort());
    for (const { operation, path } of operations())
      for (const [, name] of path.matchAll(/\{(\w+)\}/g))
        expect(operation.parameters).toContainEqual(expect.objectContaining({ name, in: 'path', required: true }));
  });

  it('lists every error code, and its schemas compile', () => {
    expect(document.components.schemas.Error.properties.code.enum).toEqual(Object.keys(ERRORS));
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema({ $id: 'doc', components: document.components });
    for (const name of Object.keys(document.components.schemas))
      expect(() => ajv.compile({ $ref: `doc#/components/schemas/${name}` })).not.toThrow();
  });

  it('fits what is answered', async () => {
    h.upstream.answer((request, response) => {
      if (request.url?.startsWith('/v1/accounts') === true)
        return json(response, { rows: [{ id: 'o1', currency: 'EUR' }] });
      if (request.url?.startsWith('/v1/report') === true)
        return json(response, { rows: [{ id: '1', name: 'a', clicks: '3' }] });
      json(response, { rows: [{ id: '1', name: 'a', budget: '3.5', cap: 2 }] });
    });
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(ajv);
    ajv.addSchema({ $id: 'doc', components: document.components });
    for (const [path, template, key] of [
      [`/ads/${h.connection.id}/campaign`, '/ads/{connection_id}/campaign', h.keys.read],
      [`/ads/${h.connection.id}/organization`, '/ads/{connection_id}/organization', h.keys.read],
      [`/ads/${h.connection.id}/report`, '/ads/{connection_id}/report', h.keys.read],
      ['/unified/connection', '/unified/connection', h.keys.read],
      [`/unified/connection/${h.connection.id}`, '/unified/connection/{id}', h.keys.read],
      ['/unified/integration', '/unified/integration', h.keys.read],
      ['/unified/apicall', '/unified/apicall', h.keys.read],
      ['/v1/keys', '/v1/keys', h.keys.admin],
      ['/v1/workspaces', '/v1/workspaces', h.keys.operator],
      ['/v1/events', '/v1/events', h.keys.read],
      ['/v1/quotas', '/v1/quotas', h.keys.operator],
      ['/healthz', '/healthz', h.keys.read],
      ['/v1/nothing', undefined, h.keys.read],
    ] as const) {
      const answer = await h.call('GET', path, { key });
      const schema = JSON.parse(
        JSON.stringify(
          template === undefined
            ? { $ref: '#/components/schemas/Error' }
            : document.paths[template].get.responses['200'].content['application/json'].schema,
        ).replaceAll('"#/components', '"doc#/components'),
      );
      const valid = ajv.compile(schema);
      valid(answer.body);
      expect([path, valid.errors]).toEqual([path, null]);
    }
  });
});
