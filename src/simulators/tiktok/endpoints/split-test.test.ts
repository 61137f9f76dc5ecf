import { afterAll, beforeAll, expect, it } from 'vitest';
import { objectsOf, ok } from '../../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';

let tiktok: TestTikTok;
let usd = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  [usd = ''] = tiktok.ready.advertiser_ids;
});
afterAll(() => tiktok.close());

const begin = async (level: string, object_ids: string[]): Promise<string> =>
  (await tiktok.control('POST', '/split_tests', { level, object_ids })).split_test_group_id;
const promote = (split_test_group_id: string, winning_object_id?: string) =>
  tiktok.post('split_test/promote', { advertiser_id: usd, split_test_group_id, winning_object_id });

it('of ad groups ends with its winner, and the other one stops', async () => {
  const objects = objectsOf(tiktok, usd);
  const ids = [await objects.adgroup(), await objects.adgroup()];
  const test = await begin('ADGROUP', ids);
  const read = async (id: string) =>
    ok(await tiktok.get('adgroup/get', { advertiser_id: usd, filtering: { adgroup_ids: [id] } })).list[0];
  expect(await read(ids[0]!)).toMatchObject({ split_test_group_id: test, split_test_status: 'RUNNING' });
  expect((await promote(test)).message).toBe('Missing required field(s): winning_object_id.');
  expect((await promote(test, '1')).code).toBe(40002);
  ok(await promote(test, ids[1]));
  expect(await read(ids[0]!)).toMatchObject({ operation_status: 'DISABLE', split_test_status: 'FINISHED' });
  expect(await read(ids[1]!)).toMatchObject({ operation_status: 'ENABLE' });
  expect((await promote(test, ids[1])).code).toBe(40002);
  expect((await promote('1', ids[1])).code).toBe(40007);
});

it('of campaigns takes no winner', async () => {
  const objects = objectsOf(tiktok, usd);
  const ids = [await objects.campaign(), await objects.campaign()];
  const test = await begin('CAMPAIGN', ids);
  expect((await promote(test, ids[0])).code).toBe(40002);
  ok(await promote(test));
  expect((await promote(test)).code).toBe(40002);
});
