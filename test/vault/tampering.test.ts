/**
 * Somebody writes to the database of a running server: ciphertexts moved to another connection, workspace, kind or version,
 * and changed bits. Over HTTP such a secret does not open, that is an alarm, and nothing else stops.
 */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApiKey, createWorkspace } from '../../src/core/store/repositories/index.ts';
import type { SealedEnvelope } from '../../src/core/store/schema.ts';
import { type Answer, startTestApp, type TestApp } from '../support/app.ts';

interface Row {
  id: string;
  owner_id: string;
  kind: string;
  version: number;
  envelope: SealedEnvelope;
}

let polyad: TestApp;
/** Two connections of one workspace, and one of another. */
let mine: string;
let second: string;
/** The grant behind `mine`, as the simulator's control API calls it. */
let token: string;
let foreign: { id: string; key: string };
beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  mine = (await polyad.connect()).get('id') as string;
  token = (await polyad.control('GET', '/grants')).grants.at(-1).token;
  second = (await polyad.connect()).get('id') as string;
  const { db } = polyad.app.store;
  const other = await createWorkspace(db, { name: 'Other', default_environment: 'simulator' });
  const { key } = await createApiKey(db, other.id, { name: 'other', scopes: ['admin'] });
  const { app_id, secret, access_token } = polyad.simulator.ready as Record<string, string>;
  const as = { authorization: key };
  await polyad.call('PUT', '/v1/integrations/tiktokads/simulator', { app_id, secret }, as);
  const body = { integration_type: 'tiktokads', environment: 'simulator', auth: { access_token } };
  const imported = await polyad.call('POST', '/unified/connection', body, as);
  foreign = { id: imported.body.id, key };
}, 120_000);
afterAll(() => polyad?.close());
beforeEach(async () => {
  // The same alarm is told every five minutes at most.
  polyad.advance(6 * 60_000);
  polyad.lines.length = 0;
  await polyad.clearLog();
});

const secretOf = async (owner: string, kind = 'tokens'): Promise<Row> => {
  const { rows } = await sql<Row>`select id, owner_id, kind, version, envelope from secrets
    where owner_id = ${owner} and kind = ${kind}`.execute(polyad.app.store.db);
  return rows[0] as Row;
};
const integrationId = async (): Promise<string> => {
  const { rows } = await sql<{ id: string }>`select id from integrations
    where workspace_id = ${polyad.workspace.id} and environment = 'simulator'`.execute(polyad.app.store.db);
  return rows[0]?.id as string;
};
const put = async ({ id }: Row, envelope: SealedEnvelope, version?: number): Promise<void> => {
  await sql`update secrets set envelope = ${JSON.stringify(envelope)}::text::jsonb,
    version = coalesce(${version ?? null}::integer, version) where id = ${id}`.execute(polyad.app.store.db);
};
const call = (id = mine, key = polyad.key): Promise<Answer> =>
  polyad.call('GET', `/ads/${id}/organization`, undefined, { authorization: key });
/** What is open in memory is forgotten, as by a change that any node makes. */
const touch = (id: string, key = polyad.key): Promise<Answer> =>
  polyad.call('PATCH', `/unified/connection/${id}`, { external_xref: `x${Math.random()}` }, { authorization: key });
const flip = (text: string, at: number): string => {
  const bytes = Buffer.from(text, 'base64url');
  bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ 1;
  return bytes.toString('base64url');
};

/** The call fails with an alarm that reaches log and events, TikTok hears nothing, and others notice nothing. */
async function expectAlarm(answer: Answer, workspaceKey = polyad.key, connection = mine): Promise<void> {
  expect(answer).toMatchObject({ status: 500, body: { code: 'vault_binding_mismatch', actor: 'operator' } });
  expect(await polyad.requests()).toEqual([]);
  const alarms = polyad.lines.filter((line) => line.includes('"alarm":"vault"'));
  expect(alarms.length).toBeGreaterThan(0);
  const path = `/v1/events?type=vault.secret_tampered&connection_id=${connection}`;
  const events = await polyad.call('GET', path, undefined, { authorization: workspaceKey });
  expect(events.body.length).toBeGreaterThan(0);
  expect((await polyad.call('GET', '/healthz')).status).toBe(200);
  expect((await call(second)).status).toBe(200);
  // Nobody is told that the customer must do something.
  expect(polyad.lines.join('\n')).not.toContain('reconnect_required');
}

describe('a ciphertext', () => {
  it.each<[string, (own: Row) => Promise<SealedEnvelope>]>([
    ['of another connection', async () => (await secretOf(second)).envelope],
    ['of another workspace', async () => (await secretOf(foreign.id)).envelope],
    ['of another kind', async () => (await secretOf(await integrationId(), 'app')).envelope],
    ['with a flipped bit in the secret', async ({ envelope }) => ({ ...envelope, ct: flip(envelope.ct, 20) })],
    ['with a flipped bit in its nonce', async ({ envelope }) => ({ ...envelope, ct: flip(envelope.ct, 0) })],
    ['with a flipped bit in its seal', async ({ envelope }) => ({ ...envelope, ct: flip(envelope.ct, -1 + 1e6) })],
    ['with a flipped bit in the data key', async ({ envelope }) => ({ ...envelope, dek: flip(envelope.dek, 30) })],
    [
      'with the data key of another',
      async ({ envelope }) => ({ ...envelope, dek: (await secretOf(second)).envelope.dek }),
    ],
    ['cut short', async ({ envelope }) => ({ ...envelope, ct: envelope.ct.slice(0, 8) })],
    ['that is empty', async ({ envelope }) => ({ ...envelope, ct: '' })],
  ])('%s does not open, is an alarm, and opens again when it is put right', async (_what, forge) => {
    const own = await secretOf(mine);
    await put(own, await forge(own));
    await touch(mine);
    await expectAlarm(await call());
    // The renewal of tokens leaves it alone, too.
    await polyad.app.tokenSweep.run();
    await put(own, own.envelope);
    expect((await call()).status).toBe(200);
    expect((await polyad.ok('GET', `/unified/connection/${mine}`)).health.state).toBe('healthy');
  });

  it('that was replaced and is put back does not open: neither as it is nor under its old version', async () => {
    const own = await secretOf(mine);
    // A new version: the customer authorises again.
    await polyad.control('POST', '/grants/revoke', { access_token: token });
    const dead = await call();
    const link = new URL(dead.body.details.reconnect_url);
    const query = Object.fromEntries(
      ['connection_id', 'reauth_token'].map((name) => [name, link.searchParams.get(name) as string]),
    );
    expect((await polyad.connect({ query })).get('id')).toBe(mine);
    const now = await secretOf(mine);
    expect(now.version).toBeGreaterThan(own.version);
    polyad.lines.length = 0;
    await polyad.clearLog();
    await put(now, own.envelope);
    await touch(mine);
    await expectAlarm(await call());
    // Together with its version it is the old secret whole: it opens, and TikTok knows its token no more.
    await put(now, now.envelope, now.version);
    expect((await call()).status).toBe(200);
  });

  it('of ours in another workspace does not open there', async () => {
    const theirs = await secretOf(foreign.id);
    await put(theirs, (await secretOf(mine)).envelope);
    await touch(foreign.id, foreign.key);
    await expectAlarm(await call(foreign.id, foreign.key), foreign.key, foreign.id);
    await put(theirs, theirs.envelope);
  });

  it('of app credentials that was changed stops what needs them by name, and nothing crashes', async () => {
    const app = await secretOf(await integrationId(), 'app');
    await put(app, { ...app.envelope, ct: flip(app.envelope.ct, 20) });
    // As by a change of another integration: what is open in memory is forgotten.
    await sql`update integrations set updated_at = updated_at where workspace_id = ${polyad.workspace.id}`.execute(
      polyad.app.store.db,
    );
    const answer = await call(second);
    expect(answer).toMatchObject({ status: 500, body: { code: 'vault_binding_mismatch' } });
    expect((await polyad.call('GET', '/healthz')).status).toBe(200);
    await put(app, app.envelope);
    expect((await call(second)).status).toBe(200);
  });
});
