/**
 * Callers who page through a list by `limit` and `offset` while others write to it: rows that are there all the time come
 * once, none is missed. Everything over HTTP, against the TikTok simulator.
 */
import { UnifiedTo } from '@unified-api/typescript-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/core/store/repositories/index.ts';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';
import { Campaigns, judge, type ReadPage, readAll, seeded, WHOLE } from './support/campaigns.ts';

const ROWS = 10_001;
/** For cases that do not depend on length. */
const FEW = 2_001;

let polyad: TestApp;
let connection: string;
/** Ad accounts with so many campaigns. */
let many: Campaigns;
let few: Campaigns;

const idsOf = (rows: Json[]): string[] => rows.map(({ id }) => id);
/** Reads pages of a list by the given key. */
const pagesOf =
  (query: string, key = polyad.key): ReadPage =>
  async (offset, limit) => {
    const path = `/ads/${connection}/${query}&limit=${limit}&offset=${offset}&fields=id`;
    const { status, body } = await polyad.call('GET', path, undefined, { authorization: key });
    expect(status, JSON.stringify(body)).toBe(200);
    return idsOf(body);
  };
const own = (account: Campaigns, more = ''): string => `campaign?org_id=${account.advertiser}${more}`;

/** An ad account that the connection reaches. */
async function makeAccount(): Promise<Campaigns> {
  const { grants } = await polyad.control('GET', '/grants');
  const { token } = grants.filter((grant: Json) => grant.kind === 'marketing' && grant.revoked_at === null).at(-1);
  const account = { name: 'Long lists', currency: 'USD', timezone: 'America/Los_Angeles', grant_to: token };
  const { id } = await polyad.control('POST', '/advertisers', account);
  // Ad accounts are remembered for some minutes.
  polyad.advance(600_000);
  return new Campaigns(polyad.simulator, token, id);
}

beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  const done = await polyad.connect();
  connection = done.get('id') as string;
  many = await makeAccount();
  few = await makeAccount();
  await many.have(ROWS);
  await few.have(FEW);
}, 240_000);
afterAll(() => polyad?.close());

/** One caller reads everything while `change` is done between pages; then what was missed, and what came twice. */
async function walked(
  campaigns: Campaigns,
  limit: number,
  change: (got: readonly string[], page: number) => Promise<unknown> | unknown,
  read: ReadPage = pagesOf(own(campaigns)),
) {
  const before = [...campaigns.live];
  const got = await readAll(read, limit, change);
  return judge(got, before, campaigns.live);
}

describe('10,001 campaigns', () => {
  it.each([50, 100, 999, 1000])('that nobody writes to take no call more than pages: %i', async (limit) => {
    await many.have(ROWS);
    await polyad.clearLog();
    const got = await readAll(pagesOf(own(many)), limit);
    expect(got).toEqual([...many.live].reverse());
    expect((await polyad.requests('/campaign/get/')).length).toBe(Math.ceil(ROWS / limit));
  });

  it.each([50, 100, 999, 1000])(
    'to which others add, and from which they remove, between pages of %i',
    async (limit) => {
      await many.have(ROWS);
      const random = seeded(limit);
      // About as many changes in all, whatever the number of pages.
      const every = Math.max(1, Math.floor(400 / (ROWS / limit)));
      const result = await walked(many, limit, async (got) => {
        if (limit < 500 && random(3) > 0) return;
        await many.add(random(every * 2));
        // Of those that were read, and of those that were not.
        const victims = Array.from({ length: random(every * 2) }, () => many.live[random(many.live.length)]);
        await many.remove([...new Set([...victims, ...got.slice(-1 - random(2), -1)])] as string[]);
      });
      expect(result).toEqual(WHOLE);
      expect(many.removed.size).toBeGreaterThan(50);
    },
  );

  it('by the published client as it is', async () => {
    await many.have(ROWS);
    const sdk = new UnifiedTo({ serverURL: polyad.url, security: { jwt: polyad.key } });
    const read: ReadPage = async (offset, limit) =>
      idsOf(await sdk.ads.listAdsCampaigns({ connectionId: connection, orgId: many.advertiser, limit, offset }));
    const change = async (got: readonly string[], page: number) => {
      if (page % 10 > 0) return;
      await many.add(7);
      await many.remove([...got.slice(-3), ...got.slice(page, page + 9)]);
    };
    expect(await walked(many, 100, change, read)).toEqual(WHOLE);
  });
});

describe('2,001 campaigns', () => {
  describe.each([100, 1000])('in pages of %i', (limit) => {
    type Change = (got: readonly string[], page: number) => Promise<unknown> | unknown;
    const CHANGES: Record<string, Change> = {
      'the last row that was handed out is removed each time': (got) => few.remove(got.slice(-1)),
      'a whole page that was handed out is removed': (got, page) => page === 2 && few.remove(got.slice(-limit)),
      'all that was handed out is removed': (got, page) => page === 1 && few.remove(got),
      'the next page is removed': (got, page) =>
        page === 1 && few.remove([...few.live].reverse().slice(got.length, got.length + limit)),
      'hundreds come before the second page': (_got, page) => page === 0 && few.add(350),
      'one comes and one goes, so that the total stays': async (got, page) => {
        if (page > 5) return;
        await few.add(1);
        await few.remove([got[page * 7] as string]);
      },
    };
    it.each(Object.keys(CHANGES))('%s', async (name) => {
      await few.have(FEW);
      expect(await walked(few, limit, CHANGES[name] as Change)).toEqual(WHOLE);
    });
  });

  it('of a status: rows leave and enter in the middle, and the total stays', async () => {
    await few.have(FEW);
    const ended = few.live.slice(0, 400);
    await few.pause(ended);
    // What is paused is not in the list, so a row that is paused meanwhile is one that was not there all the time.
    const before = few.live.slice(400);
    const paused = new Set<string>();
    const got = await readAll(pagesOf(own(few, '&status=ACTIVE')), 1000, async (read, page) => {
      const out = read.slice(page * 11, page * 11 + 20);
      for (const id of out) paused.add(id);
      await few.pause(out);
      await few.start(ended.slice(page * 20, page * 20 + 20));
    });
    expect(
      judge(
        got,
        before,
        before.filter((id) => !paused.has(id)),
      ),
    ).toEqual(WHOLE);
    await few.remove([...ended, ...paused]);
  });

  it('a removed campaign is gone from the list, and a page asked for again is as it is now', async () => {
    await few.have(FEW);
    const read = pagesOf(own(few));
    const first = await read(0, 100);
    const second = await read(100, 100);
    await few.remove([first[99] as string, second[0] as string]);
    const again = await read(100, 100);
    expect(again.slice(0, 99)).toEqual(second.slice(1));
    const third = await read(200, 100);
    expect(third[0]).toBe([...few.live].reverse()[[...few.live].reverse().indexOf(again[99] as string) + 1]);
  });

  it('two walks of one caller with different queries, and two callers of the same list, at once', async () => {
    await few.have(FEW);
    const { key } = await createApiKey(polyad.app.store.db, polyad.workspace.id, { name: 'other', scopes: ['read'] });
    const before = [...few.live];
    const walks = [
      { read: pagesOf(own(few)), limit: 250 },
      { read: pagesOf(own(few, '&status=ACTIVE')), limit: 250 },
      { read: pagesOf(own(few), key), limit: 250 },
      // Pages of other sizes end at the same rows.
      { read: pagesOf(own(few)), limit: 500 },
    ].map((one) => ({ ...one, got: [] as string[], done: false }));
    for (let page = 0; walks.some(({ done }) => !done); page += 1)
      for (const one of walks) {
        if (one.done) continue;
        const ids = await one.read(page * one.limit, one.limit);
        one.got.push(...ids);
        one.done = ids.length < one.limit;
        // Each caller sees another list.
        if (page > 12) continue;
        await few.add(2);
        await few.remove([few.live.at(-3 - page) as string, one.got[page * 9] as string]);
      }
    for (const { got } of walks) expect(judge(got, before, few.live)).toEqual(WHOLE);
  });

  it('is answered by position when the last page is long ago, and beyond what was handed out', async () => {
    await few.have(FEW);
    const read = pagesOf(own(few));
    await read(0, 100);
    polyad.advance(11 * 60_000);
    await few.add(30);
    const now = [...few.live].reverse();
    expect(await read(100, 100)).toEqual(now.slice(100, 200));
    expect(await read(1_500, 100)).toEqual(now.slice(1_500, 1_600));
  });
});

describe('lists that are read whole for each page', () => {
  const change = async (got: readonly string[], page: number) => {
    if (page > 4) return;
    await few.add(40);
    await few.remove([...got.slice(-2), ...got.slice(page * 5, page * 5 + 30)]);
  };

  it.each([
    ['a filter that polyad checks itself', 400, () => own(few, '&query=walked')],
    ['a sort', 400, () => own(few, '&sort=created_at&order=asc')],
    ['a sort the other way', 400, () => own(few, '&sort=created_at&order=desc')],
    ['several ad accounts', 400, () => 'campaign?order=asc'],
  ])('%s', async (_name, limit, query) => {
    await few.have(FEW);
    // Not to read ten thousand rows for each page.
    await many.have(1_000);
    const before = [...few.live];
    const got = await readAll(pagesOf(query()), limit, change);
    expect(judge(got, before, few.live)).toEqual(WHOLE);
    // Other ad accounts' own campaigns come too.
    expect(got.length).toBeGreaterThanOrEqual(before.length);
  });
});

describe('3,001 ads', () => {
  it('of which some are removed, in pages of 500', async () => {
    const account = await makeAccount();
    await polyad.control('POST', '/seed', { volume: 3_001, advertiser_id: account.advertiser, deleted_share: 0 });
    const read = pagesOf(`ad?org_id=${account.advertiser}`);
    const before = await readAll(read, 1000);
    expect(before.length).toBe(3_001);
    const gone = new Set<string>();
    const random = seeded(7);
    const got = await readAll(read, 500, async (read) => {
      const victims = [
        ...new Set([...read.slice(-3), ...Array.from({ length: 15 }, () => before[random(before.length)])]),
      ];
      const ids = (victims as string[]).filter((id) => !gone.has(id));
      await account.status('ad', ids, 'DELETE');
      for (const id of ids) gone.add(id);
    });
    expect(
      judge(
        got,
        before,
        before.filter((id) => !gone.has(id)),
      ),
    ).toEqual(WHOLE);
  });
});
