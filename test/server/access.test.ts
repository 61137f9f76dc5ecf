import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createApiKey,
  createConnection,
  createWorkspace,
  revokeApiKey,
} from '../../src/core/store/repositories/index.ts';
import { type Harness, startHarness } from './support/harness.ts';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

const status = async (answer: Response) => ({
  status: answer.status,
  code: ((await answer.json()) as { code: string }).code,
});

/** Bytes as they are written to the socket; the whole answer as text. */
function rawRequest(text: string): Promise<string> {
  const { port } = new URL(h.url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('the key', () => {
  it.each(['%s', 'Bearer %s', 'bearer %s', 'BEARER  %s', 'bEaReR\t%s'])('is accepted as "%s"', async (form) => {
    const answer = await h.fetch('/unified/integration', {
      key: null,
      headers: { authorization: form.replace('%s', h.keys.read) },
    });
    expect(answer.status).toBe(200);
  });

  it('is refused when missing, empty, unknown, revoked and expired, each with its own code', async () => {
    const now = Date.now();
    const { key: revoked, row } = await createApiKey(h.store.db, h.workspace.id, { name: 'r', scopes: ['read'] });
    await revokeApiKey(h.store.db, h.workspace.id, row.id);
    const { key: expired } = await createApiKey(h.store.db, h.workspace.id, {
      name: 'e',
      scopes: ['read'],
      expires_at: new Date(now - 1000),
    });
    const withKey = async (key: string | null) => status(await h.fetch('/unified/apicall', { key }));
    expect(await withKey(null)).toEqual({ status: 401, code: 'key_missing' });
    for (const empty of ['Bearer', 'Bearer ', ' '])
      expect(await withKey(empty)).toEqual({ status: 401, code: 'key_missing' });
    expect(await withKey('polyad_nothing')).toEqual({ status: 401, code: 'key_invalid' });
    expect(await withKey(`${h.keys.read}x`)).toEqual({ status: 401, code: 'key_invalid' });
    expect(await withKey(h.keys.read.toUpperCase())).toEqual({ status: 401, code: 'key_invalid' });
    expect(await withKey(revoked)).toEqual({ status: 401, code: 'key_revoked' });
    expect(await withKey(expired)).toEqual({ status: 401, code: 'key_expired' });
  });

  it('names the scheme in the answer', async () => {
    const answer = await h.fetch('/unified/apicall', { key: null });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="polyad"');
  });

  it.each([
    ['read', 'GET', '/unified/apicall', 200],
    ['read', 'POST', '/v1/keys', 403],
    ['read', 'POST', '/ads/x/campaign', 403],
    ['read', 'DELETE', '/passthrough/x/y', 403],
    ['write', 'GET', '/v1/keys', 403],
    ['write', 'GET', '/v1/events', 200],
    ['admin', 'GET', '/v1/keys', 200],
    ['admin', 'POST', '/v1/workspaces', 403],
    ['admin', 'GET', '/v1/quotas', 403],
    ['operator', 'GET', '/v1/quotas', 200],
  ] as const)('with the scope %s: %s %s gives %i', async (scope, method, path, expected) => {
    const answer = await h.fetch(path, { method, key: h.keys[scope] });
    expect(answer.status).toBe(expected);
    if (expected === 403) expect((await answer.json()).details.needed).toBeTruthy();
  });

  it('is not needed for health, pages and documents', async () => {
    for (const path of [
      '/healthz',
      '/readyz',
      '/metrics',
      '/openapi.json',
      '/docs/',
      '/docs/errors',
      '/',
      '/assets/polyad.css',
    ])
      expect([path, (await h.fetch(path, { key: null })).status]).toEqual([path, 200]);
  });

  it('reaches nothing of another workspace', async () => {
    const other = await createWorkspace(h.store.db, { name: 'Other' });
    const theirs = await createConnection(h.store.db, other.id, {
      integration_type: 'testads',
      environment: 'production',
    });
    const { key } = await createApiKey(h.store.db, other.id, { name: 'k', scopes: ['admin'] });
    expect(await status(await h.fetch(`/ads/${theirs.id}/campaign`))).toEqual({
      status: 404,
      code: 'connection_not_found',
    });
    expect(await status(await h.fetch(`/passthrough/${h.connection.id}/v1/x`, { key }))).toEqual({
      status: 404,
      code: 'connection_not_found',
    });
    expect(await status(await h.fetch(`/v1/keys?workspace_id=${h.workspace.id}`, { key }))).toEqual({
      status: 404,
      code: 'workspace_not_found',
    });
    expect(await status(await h.fetch(`/v1/workspaces/${h.workspace.id}`, { key }))).toEqual({
      status: 404,
      code: 'workspace_not_found',
    });
  });
});

describe('administration', () => {
  const send = (key: string, method: string, path: string, body?: unknown) => h.call(method, path, { key, body });

  it('makes a workspace and its keys, which work, and revokes them at once', async () => {
    const made = await send(h.keys.operator, 'POST', '/v1/workspaces', {
      name: 'New',
      default_environment: 'Sandbox',
      redirect_origins: ['https://app.example.com'],
    });
    expect(made).toMatchObject({ status: 200, body: { name: 'New', default_environment: 'Sandbox' } });
    const key = await send(h.keys.operator, 'POST', '/v1/keys', {
      name: 'k',
      workspace_id: made.body.id,
      scopes: ['admin'],
    });
    expect(key.body.key).toMatch(/^polyad_[0-9A-Za-z]{40}$/);
    const listed = await send(key.body.key, 'GET', '/v1/keys');
    expect(listed.body).toHaveLength(1);
    expect(JSON.stringify(listed.body)).not.toContain(key.body.key);
    expect(Object.keys(listed.body[0])).not.toContain('hash');
    expect((await send(key.body.key, 'GET', '/v1/workspaces')).body).toMatchObject([{ id: made.body.id }]);
    const renamed = await send(key.body.key, 'PATCH', `/v1/workspaces/${made.body.id}`, { name: 'Renamed' });
    expect(renamed.body).toMatchObject({ name: 'Renamed', redirect_origins: ['https://app.example.com'] });
    await send(key.body.key, 'DELETE', `/v1/keys/${key.body.id}`);
    expect((await send(key.body.key, 'GET', '/v1/keys')).body.code).toBe('key_revoked');
    expect(await send(h.keys.operator, 'DELETE', `/v1/workspaces/${made.body.id}`)).toMatchObject({
      status: 200,
      body: {},
    });
    expect((await send(h.keys.operator, 'GET', `/v1/workspaces/${made.body.id}`)).body.code).toBe(
      'workspace_not_found',
    );
  });

  it('gives no scope that the giver lacks', async () => {
    const answer = await send(h.keys.admin, 'POST', '/v1/keys', { name: 'k', scopes: ['read', 'operator'] });
    expect(answer).toMatchObject({ status: 403, body: { code: 'key_scope', details: { needed: ['operator'] } } });
  });

  it('refuses what is not valid by name', async () => {
    for (const [body, field] of [
      [{ scopes: ['read'] }, 'name'],
      [{ name: 'k', scopes: ['all'] }, 'scopes.0'],
      [{ name: 'k', expires_at: '2020-01-01' }, 'expires_at'],
      [{ name: 'k', scope: 'read' }, 'scope'],
    ] as const)
      expect((await send(h.keys.admin, 'POST', '/v1/keys', body)).body.details.issues[0].path).toBe(field);
    const origin = await send(h.keys.operator, 'POST', '/v1/workspaces', {
      name: 'x',
      redirect_origins: ['https://a.b/c'],
    });
    expect(origin.body.details.issues[0].path).toBe('redirect_origins.0');
  });
});

describe('limits', () => {
  it('refuse a body that is too large before it is read', async () => {
    const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const request = httpRequest(
        `${h.url}/v1/keys`,
        {
          method: 'POST',
          headers: {
            authorization: h.keys.admin,
            'content-type': 'application/json',
            'content-length': 11 * 1024 * 1024,
          },
        },
        async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          resolve({ status: response.statusCode ?? 0, text });
          request.destroy();
        },
      );
      request.on('error', reject);
      request.flushHeaders();
    });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'input_too_large', details: { limit: 10 * 1024 * 1024 } });
  });

  it('refuse long addresses, long heads, bad escapes and what is not HTTP, all in the form of every error', async () => {
    expect(await status(await h.fetch(`/unified/apicall?type=${'x'.repeat(17_000)}`))).toEqual({
      status: 413,
      code: 'input_too_large',
    });
    expect(await status(await h.fetch('/ads/%zz/campaign'))).toEqual({ status: 400, code: 'input_invalid' });
    const head = await rawRequest(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(40_000)}\r\n\r\n`);
    expect(head).toMatch(/^HTTP\/1\.1 431 /);
    expect(head).toContain('"code":"input_too_large"');
    const garbage = await rawRequest('NONSENSE\r\n\r\n');
    expect(garbage).toMatch(/^HTTP\/1\.1 400 /);
    expect(garbage).toContain('"code":"input_invalid"');
  });

  it('refuse other content types than JSON where JSON is read', async () => {
    const answer = await h.fetch('/v1/keys', {
      method: 'POST',
      key: h.keys.admin,
      headers: { 'content-type': 'application/xml' },
      body: '<a/>',
    });
    expect(await status(answer)).toEqual({ status: 415, code: 'input_media_type' });
  });
});
