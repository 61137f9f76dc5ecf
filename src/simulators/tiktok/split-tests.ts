/**
 * Split tests. Only how one is ended by promoting its winner is documented (TikTok docs 1742666543736834), so the control
 * API makes them. The words of `split_test_status` are (unverified).
 */
import { bad, type ControlRoute, found, oneOf, reader } from '../kit/control.ts';
import type { Collection } from '../kit/types.ts';
import type { Native, World } from './types.ts';

/** What a test compares. */
export interface SplitTest {
  /** split_test_group_id */
  id: string;
  advertiser_id: string;
  level: 'CAMPAIGN' | 'ADGROUP';
  object_ids: string[];
  status: 'RUNNING' | 'FINISHED';
  winning_object_id: string | null;
}

/** All split tests. */
export const splitTests = (world: World): Collection<SplitTest> => world.store.collection<SplitTest>('split_tests');

/** Where the objects of a test live. */
export const objectsOfTest = (world: World, { level }: Pick<SplitTest, 'level'>): Collection<Native> =>
  level === 'CAMPAIGN' ? world.campaigns : world.adgroups;

/** Keeps a test and says so on its objects. */
export function putTest(world: World, test: SplitTest): void {
  splitTests(world).put(test);
  const rows = objectsOfTest(world, test);
  rows.putAll(
    test.object_ids.flatMap((id) => {
      const row = rows.get(id);
      return row ? [{ ...row, split_test_group_id: test.id, split_test_status: test.status }] : [];
    }),
  );
}

/** - `POST /split_tests` `{ level, object_ids }`: two campaigns or ad groups of one ad account begin a test. */
export function splitTestRoutes(world: World): ControlRoute[] {
  return [
    {
      method: 'POST',
      path: '/split_tests',
      summary: 'begin a split test: { level: ADGROUP | CAMPAIGN, object_ids: [a, b] }',
      handle({ body }) {
        const read = reader(body);
        const level = oneOf('level', read.text('level'), ['ADGROUP', 'CAMPAIGN'] as const, 'ADGROUP');
        const ids = read.texts('object_ids') ?? [];
        const rows = ids.map((id) => found(objectsOfTest(world, { level }).get(id), `object ${id}`));
        const [first] = rows;
        if (!first || rows.length !== 2 || new Set(ids).size !== 2) return bad('object_ids must name two objects');
        if (rows.some((row) => row.advertiser_id !== first.advertiser_id)) bad('both must be of one ad account');
        const test: SplitTest = {
          id: world.nextId(),
          advertiser_id: first.advertiser_id,
          level,
          object_ids: ids,
          status: 'RUNNING',
          winning_object_id: null,
        };
        putTest(world, test);
        return { split_test_group_id: test.id };
      },
    },
  ];
}
