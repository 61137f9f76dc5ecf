/** Conformance: what lists, reads and writes keep and say. */
import { describe, expect, it } from 'vitest';
import type { Json } from '../support/app.ts';
import type { AccountFacts } from './facts.ts';
import { conformance } from './suite.ts';

const DAY = 86_400_000;

await conformance('objects', { clock: 'virtual', tap: true }, (fixture) => {
  const { facts } = fixture;
  const polyad = () => fixture.polyad;
  const ready = () => polyad().simulator.ready;
  const path = (object: string, query = '') => `/ads/${fixture.connection}/${object}${query}`;
  const create = (object: string, organization: string, body: Record<string, unknown>): Promise<Json> =>
    polyad().ok('POST', path(object, '?fields=raw,id,name,budget_amount,budget_period,start_at,end_at,status'), {
      organization_id: organization,
      ...body,
    });
  const read = (object: string, organization: string, id: string): Promise<Json> =>
    polyad().ok('GET', path(object, `/${id}?org_id=${organization}`));
  const raw = async (object: string, organization: string, id: string): Promise<Json> =>
    (await polyad().ok('GET', path(object, `/${id}?org_id=${organization}&fields=raw`))).raw;

  describe('paging', () => {
    const { object, page } = facts.list;
    const list = (organization: string, query: string): Promise<Json[]> =>
      polyad().ok('GET', path(object, `?org_id=${organization}&${query}`));
    const ids = (rows: Json[]): string[] => rows.map(({ id }) => id);

    it.each([0, 1, page - 1, page, page + 1, 3 * page])(
      '%i rows: joined windows are all of them, none twice',
      async (n) => {
        const organization = await facts.list.seed(polyad(), n);
        const joined: string[] = [];
        for (let offset = 0; ; offset += 1000) {
          const rows = await list(organization, `limit=1000&offset=${offset}&fields=id`);
          joined.push(...ids(rows));
          if (rows.length < 1000) break;
        }
        expect(joined.length).toBe(n);
        expect(new Set(joined).size).toBe(n);
        // Offsets and limits that fit no page of the platform, and windows beyond the end.
        for (const [offset, limit] of [
          [0, 7],
          [3, 10],
          [page - 5, 17],
          [page + 1, 999],
          [n - 1, 3],
          [n, 5],
          [n + 10, 5],
        ] as const) {
          if (offset < 0) continue;
          const window = ids(await list(organization, `limit=${limit}&offset=${offset}&fields=id`));
          expect(window, `offset ${offset}, limit ${limit}`).toEqual(joined.slice(offset, offset + limit));
        }
        // A sort reads every page of the platform inside one call of ours.
        const sorted: string[] = [];
        for (let offset = 0; offset < Math.max(n, 1); offset += 1000)
          sorted.push(
            ...ids(await list(organization, `sort=created_at&order=asc&limit=1000&offset=${offset}&fields=id`)),
          );
        expect([...sorted].sort()).toEqual([...joined].sort());
      },
    );
  });

  describe('money and time', () => {
    /** Every currency and zone that is special. */
    const accounts = (): readonly AccountFacts[] => {
      const all = facts.accountsOfValues(ready());
      expect(all.length).toBeGreaterThan(1);
      return all;
    };

    const roundTrip = async ({ id: organization, currency, zone, amounts, tooFine }: AccountFacts): Promise<void> => {
      const facts_ = await read('organization', organization, organization);
      expect(facts_).toMatchObject({ currency, timezone: zone });
      for (const amount of amounts) {
        const campaign = await create('campaign', organization, facts.bodies.campaign(`Money ${amount}`, amount));
        expect(campaign.budget_amount).toBe(amount);
        expect(facts.native.amount(campaign.raw)).toBe(String(amount));
        expect(await read('campaign', organization, campaign.id)).toMatchObject({ budget_amount: amount, currency });
      }
      await polyad().clearLog();
      const refused = await polyad().call('POST', path('campaign'), {
        organization_id: organization,
        ...facts.bodies.campaign('Too fine', tooFine),
      });
      expect(refused).toMatchObject({ status: 422, body: { code: 'input_value_invalid' } });
      expect(JSON.stringify(refused.body)).toContain('budget_amount');
      expect(await polyad().requests(facts.paths.createCampaign)).toHaveLength(0);

      // Times on both sides of the account's midnight; a zone written by the caller is only another way to say it.
      const parent = await create('campaign', organization, facts.bodies.campaign('Times', amounts.at(-1) as number));
      const start = new Date(polyad().now().getTime() + 3 * DAY);
      for (const [startAt, endAt] of [
        ['T00:00:00Z', 'T23:59:59Z'],
        ['T14:59:59Z', 'T15:00:00Z'],
        ['T07:30:00Z', 'T16:00:01Z'],
      ] as const) {
        const from = new Date(start.toISOString().slice(0, 10) + startAt);
        const to = new Date(new Date(start.getTime() + 20 * DAY).toISOString().slice(0, 10) + endAt);
        const group = await create(
          'group',
          organization,
          facts.bodies.group(parent.id, `Times ${startAt}`, amounts.at(-1) as number, from, to),
        );
        const seen = await read('group', organization, group.id);
        expect([new Date(seen.start_at), new Date(seen.end_at)]).toEqual([from, to]);
        const local = from.toISOString().replace('Z', '').slice(0, 19);
        const shifted = new Date(Date.parse(`${local}Z`) + 9 * 3_600_000).toISOString().slice(0, 19);
        const moved = await polyad().ok('PUT', path('group', `/${group.id}?org_id=${organization}`), {
          start_at: `${shifted}+09:00`,
        });
        expect(new Date(moved.start_at)).toEqual(from);
      }
    };

    it('amounts and times come back as they were sent, in every currency and zone', async () => {
      for (const account of accounts()) await roundTrip(account);
    });

    it('report days are the account’s own, on both sides of UTC', async () => {
      let seen = 0;
      for (const { id: organization, currency, zone } of accounts()) {
        const today = new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(polyad().now());
        const day = (n: number): string => new Date(Date.parse(today) + n * DAY).toISOString().slice(0, 10);
        const [report] = await polyad().ok(
          'GET',
          path(
            'report',
            `?org_id=${organization}&level=organization&dimension=DATE&start_gte=${day(-6)}&end_lt=${day(1)}`,
          ),
        );
        if (report === undefined) continue;
        seen += 1;
        expect(report).toMatchObject({ currency, time_zone: zone });
        const midnight = (iso: string) =>
          new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium', hour12: false })
            .format(new Date(iso))
            .replace(', 24:', ', 00:');
        expect(midnight(report.start_at)).toBe(`${day(-6)}, 00:00:00`);
        const days = new Set(report.metrics.map((metric: Json) => metric.dimension_value));
        for (const one of days) expect(String(one) >= day(-6) && String(one) <= day(0), String(one)).toBe(true);
      }
      expect(seen).toBeGreaterThan(1);
    });
  });

  it('unknown fields and enum values are kept: the field in raw, the value in the platform’s words', async () => {
    const { member, enumMember, enumValue, unified } = facts.unknown;
    polyad().tap.change(facts.paths.campaigns, (json) => {
      for (const row of facts.native.rows(json)) {
        row[member] = { deep: ['kept', null, 1.5] };
        row[enumMember] = enumValue;
      }
    });
    try {
      const rows = await polyad().ok(
        'GET',
        path('campaign', `?org_id=${facts.organization(ready())}&limit=3&fields=id,${unified},raw`),
      );
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) {
        expect(row.raw[member]).toEqual({ deep: ['kept', null, 1.5] });
        expect(row[unified]).toBe(enumValue);
      }
    } finally {
      polyad().tap.clear();
    }
  });

  it('an update changes only what was sent', async () => {
    const organization = facts.organization(ready());
    const campaign = await create('campaign', organization, facts.bodies.campaign('Before', 120));
    const before = await raw('campaign', organization, campaign.id);
    polyad().advance(60_000);
    await polyad().ok('PATCH', path('campaign', `/${campaign.id}`), { name: 'After' });
    const after = await raw('campaign', organization, campaign.id);
    const changed = Object.keys(after).filter((name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]));
    expect(after[facts.native.name]).toBe('After');
    expect(changed.length).toBeLessThanOrEqual(2);
    for (const name of changed) expect([facts.native.name, expect.stringMatching(/modif|update/)]).toContainEqual(name);
  });

  it('stale reads are harmless: nothing is undone, created twice or called missing', async () => {
    const organization = facts.organization(ready());
    const campaign = await create('campaign', organization, facts.bodies.campaign('Old name', 120));
    polyad().advance(120_000);
    await polyad().ok('PATCH', path('campaign', `/${campaign.id}`), { name: 'New name' });
    polyad().advance(10_000);
    await polyad().control('POST', '/faults', { kind: 'stale_reads', ms: 60_000 });
    await polyad().clearLog();
    try {
      // Reads show the old name now; an update of something else must not bring it back.
      expect((await read('campaign', organization, campaign.id)).name).toBe('Old name');
      await polyad().ok('PATCH', path('campaign', `/${campaign.id}`), { budget_amount: 150 });
      const made = await create('campaign', organization, facts.bodies.campaign('Made meanwhile', 120));
      expect(made).toMatchObject({ name: 'Made meanwhile', budget_amount: 120 });
      expect(await polyad().requests(facts.paths.createCampaign)).toHaveLength(1);
      const start = new Date(polyad().now().getTime() + DAY);
      const end = new Date(start.getTime() + 9 * DAY);
      const group = await create('group', organization, facts.bodies.group(made.id, 'Below it', 120, start, end));
      expect(group).toMatchObject({ name: 'Below it' });
      await polyad().control('POST', '/faults/clear');
      const seen = await read('campaign', organization, campaign.id);
      expect(seen).toMatchObject({ name: 'New name', budget_amount: 150 });
      expect((await read('group', organization, group.id)).name).toBe('Below it');
    } finally {
      await polyad().control('POST', '/faults/clear');
    }
  });
});
