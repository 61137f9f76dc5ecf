/** Conformance: how connections come to be, live and end. */
import { expect, it } from 'vitest';
import { conformance } from './suite.ts';

const DAY = 86_400_000;

await conformance('access', { clock: 'virtual' }, (fixture) => {
  const { facts } = fixture;
  const polyad = () => fixture.polyad;
  const campaigns = (connection: string) =>
    polyad().call('GET', `/ads/${connection}/campaign?org_id=${facts.organization(polyad().simulator.ready)}&limit=1`);
  const connection = (id: string) => polyad().ok('GET', `/unified/connection/${id}`);

  it('consent and exchange: a healthy connection with the permissions granted, and no token in sight', async () => {
    const answer = await polyad().connect({ query: { external_xref: 'customer-7' } });
    expect(answer.get('state')).toBe('abc');
    const body = await connection(answer.get('id') as string);
    expect(body).toMatchObject({
      integration_type: polyad().platform.manifest.type,
      environment: 'simulator',
      external_xref: 'customer-7',
      is_paused: false,
      health: { state: 'healthy' },
    });
    expect(body.permissions).toEqual(expect.arrayContaining(['ads_campaign_read', 'ads_campaign_write']));
    const { access_token: token, secret } = polyad().simulator.ready;
    for (const hidden of [token, secret]) {
      expect(JSON.stringify(body)).not.toContain(hidden);
      expect(polyad().lines.join('\n')).not.toContain(hidden);
    }
    expect((await campaigns(body.id)).status).toBe(200);
  });

  it('consent declined: no connection, and the caller is told', async () => {
    const before = (await polyad().ok('GET', '/unified/connection?limit=100')).length;
    const answer = await polyad().connect({ consent: facts.decline });
    expect(answer.get('error')).toBe('oauth_denied');
    expect(answer.get('id')).toBeNull();
    expect((await polyad().ok('GET', '/unified/connection?limit=100')).length).toBe(before);
  });

  for (const token of facts.tokens) {
    const { name, lifeMs, refreshLifeMs } = token;
    const begin = async (): Promise<{ id: string; use: () => Promise<{ status: number; body: unknown }> }> => {
      await polyad().control('PATCH', '/settings', token.settings);
      const { query = {} } = token;
      const consent = token.consent?.(polyad().simulator.ready) ?? {};
      const id = (await polyad().connect({ query, consent })).get('id') as string;
      const { method, path, body } = token.call(id);
      return { id, use: () => polyad().call(method, path, body) };
    };

    if (lifeMs === undefined)
      it(`${name}: works for years and is never renewed`, async () => {
        const { id, use } = await begin();
        expect((await connection(id)).auth).not.toHaveProperty('expiry_date');
        await polyad().clearLog();
        polyad().advance(800 * DAY);
        const answers = await Promise.all(Array.from({ length: 50 }, use));
        expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
        for (const { refresh } of polyad().platform.auth.grants)
          if (refresh !== undefined) expect(await polyad().requests(refresh.path)).toHaveLength(0);
      });
    else
      it(`${name}: 50 callers at its end are one refresh, and the refreshed grant renews again`, async () => {
        const { id, use } = await begin();
        const left = Date.parse((await connection(id)).auth.expiry_date) - polyad().now().getTime();
        expect(left).toBeGreaterThan(lifeMs - 60_000);
        expect(left).toBeLessThanOrEqual(lifeMs);
        const refresh = polyad().platform.auth.grants.find(({ refresh }) => refresh !== undefined)?.refresh?.path;
        for (let round = 0; round < 2; round += 1) {
          await polyad().clearLog();
          polyad().advance(lifeMs + 1_000);
          const answers = await Promise.all(Array.from({ length: 50 }, use));
          expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
          expect(await polyad().requests(refresh)).toHaveLength(1);
          // Nobody used the old token once the new one was there.
          const used = (await polyad().requests()).filter(({ token: digest }) => digest !== null);
          expect(new Set(used.map(({ token: digest }) => digest)).size).toBe(1);
        }
        expect(Date.parse((await connection(id)).auth.expiry_date)).toBeGreaterThan(polyad().now().getTime());
      });

    if (refreshLifeMs !== undefined)
      it(`${name}: after the refresh token’s life the customer is asked, without a call to the platform`, async () => {
        const { id, use } = await begin();
        polyad().advance(refreshLifeMs + DAY);
        await polyad().clearLog();
        for (let n = 0; n < 3; n += 1)
          expect(await use()).toMatchObject({
            status: 403,
            body: { code: 'connection_reconnect_required', details: { reconnect_url: expect.any(String) } },
          });
        expect(await polyad().requests()).toHaveLength(0);
        expect((await connection(id)).health).toMatchObject({ state: 'unhealthy', who: 'customer' });
      });
  }

  it('revocation: one refusal, no storm, and the connection says what to do; re-authorization heals it', async () => {
    const first = facts.tokens[0];
    await polyad().control('PATCH', '/settings', first?.settings ?? {});
    const id = await fixture.connect();
    expect((await campaigns(id)).status).toBe(200);
    await facts.revoke(polyad());
    await polyad().clearLog();
    const answers = [await campaigns(id), ...(await Promise.all(Array.from({ length: 30 }, () => campaigns(id))))];
    for (const { status, body } of answers) {
      expect({ status, code: body.code }).toEqual({ status: 403, code: 'connection_reconnect_required' });
      expect(body).toMatchObject({ actor: 'customer', retry: 'never', details: { connection_id: id } });
    }
    const calls = (await polyad().requests()).filter(({ token }) => token !== null);
    expect(calls).toHaveLength(1);
    const before = await connection(id);
    expect(before).toMatchObject({
      last_unhealthy_code: 'connection_reconnect_required',
      health: { state: 'unhealthy', code: 'connection_reconnect_required', who: 'customer' },
    });

    const link = new URL(before.health.reconnect_url);
    const { redirect: _redirect, ...query } = Object.fromEntries(link.searchParams);
    const again = await polyad().connect({ query });
    expect(again.get('id')).toBe(id);
    expect((await campaigns(id)).status).toBe(200);
    const after = await connection(id);
    expect(after.health.state).toBe('healthy');
    expect(after.created_at).toBe(before.created_at);
  });

  it('the account tree: every ad account with currency, zone and parent', async () => {
    const id = await fixture.connect();
    const expected = await facts.accounts(polyad());
    const list = await polyad().ok('GET', `/ads/${id}/organization?limit=1000`);
    const seen = (rows: typeof expected) =>
      rows
        .map(({ id, currency, timezone, parent_id }) => ({ id, currency, timezone, ...(parent_id && { parent_id }) }))
        .sort((a, b) => a.id.localeCompare(b.id));
    expect(seen(list)).toEqual(seen(expected));
    const one = expected[0];
    expect(await polyad().ok('GET', `/ads/${id}/organization/${one?.id}`)).toMatchObject({ ...one });
  });

  if (facts.manyAccounts !== undefined)
    it(`the account tree: ${facts.manyAccounts.count} accounts more than one call holds, each once`, async () => {
      const { seed } = facts.manyAccounts as NonNullable<typeof facts.manyAccounts>;
      const made = await seed(polyad());
      const imported = await polyad().ok(
        'POST',
        '/unified/connection',
        facts.importBody(polyad().simulator.ready, 'simulator'),
      );
      const list = await polyad().ok('GET', `/ads/${imported.id}/organization?limit=1000`);
      const ids = list.map(({ id }: { id: string }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).toEqual(expect.arrayContaining(made));
      for (const row of list) expect(row).toMatchObject({ currency: expect.any(String), timezone: expect.any(String) });
    });

  if (facts.refuseAccount !== undefined)
    it('partial batches: one account that the platform refuses does not hide the others', async () => {
      const { refused, undo } = await (facts.refuseAccount as NonNullable<typeof facts.refuseAccount>)(polyad());
      try {
        const { id } = await polyad().ok(
          'POST',
          '/unified/connection',
          facts.importBody(polyad().simulator.ready, 'simulator'),
        );
        const list = await polyad().ok('GET', `/ads/${id}/organization?limit=1000`);
        const others = (await facts.accounts(polyad())).filter((account) => account.id !== refused);
        expect(list.map((row: { id: string }) => row.id)).toEqual(
          expect.arrayContaining(others.map((account) => account.id)),
        );
        const usable = facts.organization(polyad().simulator.ready);
        expect((await polyad().call('GET', `/ads/${id}/campaign?org_id=${usable}`)).status).toBe(200);
      } finally {
        await undo();
      }
    });
});
