/** Conformance: what goes wrong at the platform, and what a caller is told. */
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../src/core/errors/index.ts';
import { MAX_ATTEMPTS } from '../../src/core/http/retry.ts';
import type { Json } from '../support/app.ts';
import { conformance } from './suite.ts';

const HOUR = 3_600_000;

await conformance('faults', { clock: 'virtual', tap: true }, (fixture) => {
  const { facts } = fixture;
  const { paths } = facts;
  const polyad = () => fixture.polyad;
  const organization = () => facts.organization(polyad().simulator.ready);
  const readWith = (connection: string) =>
    polyad().call('GET', `/ads/${connection}/campaign?org_id=${organization()}&limit=1`);
  const read = () => readWith(fixture.connection);
  const create = (name: string) =>
    polyad().call('POST', `/ads/${fixture.connection}/campaign`, {
      organization_id: organization(),
      ...facts.bodies.campaign(name, 120),
    });
  const named = async (name: string): Promise<Json[]> =>
    polyad().ok(
      'GET',
      `/ads/${fixture.connection}/campaign?org_id=${organization()}&query=${encodeURIComponent(name)}`,
    );
  /** Runs with one fault switch on and answers what happened and how often the platform was asked. */
  const during = async <T>(fault: Record<string, unknown>, path: string, work: () => Promise<T>) => {
    await polyad().clearLog();
    await polyad().control('POST', '/faults', { path, ...fault });
    try {
      const answer = await work();
      return { answer, calls: (await polyad().requests(path)).length };
    } finally {
      await polyad().control('POST', '/faults/clear');
      polyad().advance(HOUR);
    }
  };
  const imported = async (): Promise<string> =>
    (await polyad().ok('POST', '/unified/connection', facts.importBody(polyad().simulator.ready, 'simulator'))).id;

  describe('documented error codes', () => {
    it('all have a meaning, each a row of the error table', () => {
      expect(Object.keys(facts.errors).length).toBeGreaterThan(20);
      for (const code of Object.values(facts.errors)) if (code !== null) expect(ERRORS).toHaveProperty(code);
    });

    it.each(Object.entries(facts.errors))('%s is %s for whoever reads', async (native, code) => {
      // A refusal of the grant ends its connection, so each code has one of its own.
      const connection = await imported();
      await readWith(connection);
      const rule = polyad().tap.answer(paths.campaigns, facts.errorAnswer(native));
      let answer: Awaited<ReturnType<typeof read>>;
      try {
        answer = await readWith(connection);
      } finally {
        polyad().tap.clear();
        // Whatever had to rest is open again.
        polyad().advance(25 * HOUR);
      }
      if (code === null) {
        expect(answer.status).toBe(200);
        return;
      }
      const { status, actor } = ERRORS[code as ErrorCode];
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
      expect(answer.body).toMatchObject({ actor, platform: { code: native } });
      expect(answer.body.platform.request_id).toEqual(expect.any(String));
      if (answer.body.retry === 'never') expect(rule.hits).toBe(1);
      expect(rule.hits).toBeLessThanOrEqual(MAX_ATTEMPTS);
      const { health } = await polyad().ok('GET', `/unified/connection/${connection}`);
      expect(health.state).toBe(code === 'connection_reconnect_required' ? 'unhealthy' : 'healthy');
      await polyad().call('DELETE', `/unified/connection/${connection}`);
    });
  });

  describe('reads', () => {
    it('outlive faults that pass: latency, 5xx, gateway page, broken connection, cut answer', async () => {
      for (const kind of ['server_error', 'html_gateway', 'drop_before', 'drop_after', 'truncate', 'rate_limited']) {
        const { answer, calls } = await during({ kind, times: 2 }, paths.campaigns, read);
        expect({ kind, status: answer.status, calls }).toEqual({ kind, status: 200, calls: 3 });
      }
      const slow = await during({ kind: 'latency', ms: 300, times: 1 }, paths.campaigns, read);
      expect({ status: slow.answer.status, calls: slow.calls }).toEqual({ status: 200, calls: 1 });
    });

    it.each([
      ['server_error', 'platform_unavailable'],
      ['html_gateway', 'platform_unavailable'],
      ['drop_before', 'platform_unavailable'],
      ['drop_after', 'platform_unavailable'],
      ['truncate', 'platform_unavailable'],
      ['rate_limited', 'platform_rate_limited'],
    ] as const)('%s that stays: %s, after a few tries', async (kind, code) => {
      const { answer, calls } = await during({ kind }, paths.campaigns, read);
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status: ERRORS[code].status, code });
      expect(answer.body.retry).toBe('after');
      expect(answer.body.retry_after_ms).toBeGreaterThan(0);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(calls).toBe(MAX_ATTEMPTS);
      expect((await read()).status).toBe(200);
    });
  });

  describe('writes', () => {
    it.each(['drop_after', 'truncate'])('whose answer is lost (%s) are found again, and sent once', async (kind) => {
      const name = `Lost answer: ${kind}`;
      const { answer, calls } = await during({ kind }, paths.createCampaign, () => create(name));
      const [campaign, another] = await named(name);
      expect(another).toBeUndefined();
      expect(calls).toBe(1);
      if (polyad().platform.objects.campaign?.idempotency === undefined)
        expect(answer).toMatchObject({ status: 502, body: { code: 'write_outcome_unknown', retry: 'never' } });
      else expect(answer).toMatchObject({ status: 200, body: { id: campaign.id, name } });
    });

    it.each(['server_error', 'html_gateway', 'drop_before'])('that meet %s are sent once', async (kind) => {
      const { answer, calls } = await during({ kind }, paths.createCampaign, () => create(`Write ${kind}`));
      expect(answer).toMatchObject({ status: 502, body: { code: 'write_outcome_unknown', retry: 'never' } });
      expect(answer.body.details.check).toEqual(expect.any(String));
      expect(calls).toBe(1);
      expect(await named(`Write ${kind}`)).toHaveLength(0);
    });

    it('that the platform refused for its quota are sent again, and done once', async () => {
      const { answer, calls } = await during({ kind: 'rate_limited', times: 1 }, paths.createCampaign, () =>
        create('Paced write'),
      );
      expect(answer.status).toBe(200);
      expect(calls).toBe(2);
      expect(await named('Paced write')).toHaveLength(1);
    });

    it('that set a value may be repeated: the same change twice is the same state', async () => {
      const [campaign] = await polyad().ok(
        'GET',
        `/ads/${fixture.connection}/campaign?org_id=${organization()}&limit=1`,
      );
      const { answer } = await during({ kind: 'drop_after', times: 1 }, paths.updateCampaign, () =>
        polyad().call('PATCH', `/ads/${fixture.connection}/campaign/${campaign.id}`, { name: 'Set once or twice' }),
      );
      expect(answer).toMatchObject({ status: 200, body: { name: 'Set once or twice' } });
    });
  });

  it('a version that the platform has switched off is named as such', async () => {
    polyad().tap.redirect(facts.version.current, facts.version.old);
    try {
      const { status, body } = await read();
      expect({ status, code: body.code }).toEqual({ status: 502, code: 'platform_version_sunset' });
      expect(body).toMatchObject({ actor: 'operator', retry: 'never' });
      expect(body.platform.message).toContain(facts.version.old.replaceAll('/', ''));
    } finally {
      polyad().tap.clear();
    }
  });

  it('the version in use is not about to be switched off', () => {
    const versions = polyad().platform.manifest.apiVersions;
    const [current, ...others] = versions.filter((one) => one.default === true);
    expect(others).toEqual([]);
    const left = current?.sunset == null ? Number.POSITIVE_INFINITY : Date.parse(current.sunset) - Date.now();
    expect(left, `${current?.version} ends on ${current?.sunset}`).toBeGreaterThan(45 * 24 * HOUR);
  });

  // Last: what these do to the account ends every connection to it.
  it.each(facts.forced)('$name: the simulator says $nativeCode, the caller hears $code', async (forced) => {
    const connection = await imported();
    await readWith(connection);
    await forced.force(polyad());
    try {
      const { status, body } = await readWith(connection);
      expect({ status, code: body.code }).toEqual({ status: ERRORS[forced.code].status, code: forced.code });
      expect(body.platform?.code).toBe(forced.nativeCode);
    } finally {
      await forced.undo(polyad());
      polyad().advance(HOUR);
    }
  });
});
