import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectsOf, ok } from '../../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';

type Row = Record<string, unknown>;

let tiktok: TestTikTok;
let usd = '';
let adgroup_id = '';
let ad: Row = {};
beforeAll(async () => {
  tiktok = await startTikTok();
  [usd = ''] = tiktok.ready.advertiser_ids;
  const objects = objectsOf(tiktok, usd);
  adgroup_id = await objects.adgroup();
  const ad_id = await objects.ad({}, adgroup_id);
  ad = (await get('ad/get', { filtering: { ad_ids: [ad_id] } })).list[0];
  tiktok.running.clock.advance(86_400_000);
});
afterAll(() => tiktok.close());

const get = async (path: string, query: Row = {}) => ok(await tiktok.get(path, { advertiser_id: usd, ...query }));
const send = (path: string, body: Row = {}) => tiktok.post(path, { advertiser_id: usd, ...body });
const post = async (path: string, body: Row = {}) => ok(await send(path, body));
const search = () => ({
  search_field: 'ADGROUP_ID',
  search_value: adgroup_id,
  start_time: '2020-01-01',
  end_time: tiktok.running.clock.now().toISOString().slice(0, 10),
});
const list = async (more: Row = {}): Promise<Row[]> => (await get('comment/list', { ...search(), ...more })).comments;
const say = (content: string) => tiktok.control('POST', '/comments', { ad_id: ad['ad_id'], content });
const own = () => ({
  ad_id: ad['ad_id'],
  identity_id: ad['identity_id'],
  identity_type: ad['identity_type'],
  tiktok_item_id: '7105555555555555555',
});
const csv = async (path: string, task_id: string) => {
  const query = new URLSearchParams({ advertiser_id: usd, task_id });
  const headers = { 'Access-Token': tiktok.ready.access_token };
  return (await tiktok.raw(`/open_api/v1.3/${path}/?${query}`, { headers })).text();
};

describe('comments', () => {
  it('are there, the same each time, newest first, by page', async () => {
    const first = await list();
    expect(first).toHaveLength(3);
    expect(await list()).toEqual(first);
    const times = first.map((row) => String(row['create_time']));
    expect(times).toEqual(times.toSorted().toReversed());
    const { comments, page_info } = await get('comment/list', { ...search(), page: 2, page_size: 2 });
    expect([comments.length, page_info.total_number]).toEqual([1, 3]);
    expect(await list({ start_time: '2020-01-01', end_time: '2020-02-01' })).toEqual([]);
    expect((await list({ sort_type: 'ASC' })).map((row) => row['comment_id'])).toEqual(
      first.map((row) => row['comment_id']).toReversed(),
    );
  });

  it('are answered, hidden and shown; only own ones are deleted', async () => {
    const { id: comment_id } = await say('Is it waterproof?');
    const body = { ...own(), comment_id, comment_type: 'REPLY', text: 'It is!' };
    expect((await send('comment/post', { ...body, identity_id: '1' })).code).toBe(40002);
    const { comment } = await post('comment/post', body);
    expect(comment).toMatchObject({ text: 'It is!', reply_to_comment_id: comment_id });
    const replies = await get('comment/reference', { comment_id, comment_type: 'REPLY' });
    expect(replies.comments.map((row: Row) => [row['content'], row['can_delete']])).toEqual([
      ['Is it waterproof?', false],
      ['It is!', true],
    ]);
    const second = { ...body, comment_id: comment.comment_id };
    expect((await send('comment/post', second)).message).toMatch(/first-level/);
    expect((await list({ comment_type: ['REPLY'] })).map((row) => row['content'])).toEqual(['It is!']);
    await post('comment/status/update', { comment_ids: [comment_id], operation: 'HIDDEN' });
    expect((await list({ comment_status: ['HIDDEN'] })).map((row) => row['comment_id'])).toEqual([comment_id]);
    expect((await send('comment/delete', { ...own(), comment_id })).code).toBe(40002);
    await post('comment/delete', { ...own(), comment_id: comment.comment_id });
    expect(await list({ comment_type: ['REPLY'] })).toEqual([]);
  });

  it('are exported', async () => {
    const { task_id } = await post('comment/task/create', search());
    expect((await get('comment/task/check', { task_id })).status).toBe('PROCESSING');
    expect(await csv('comment/task/download', task_id)).toContain('40201');
    tiktok.running.clock.advance(60_000);
    expect((await get('comment/task/check', { task_id })).status).toBe('SUCCESS');
    const lines = (await csv('comment/task/download', task_id)).trim().split('\r\n');
    expect(lines).toHaveLength(1 + (await list()).length);
    expect(lines[0]).toBe('Content,Likes,Replies,Comment Type,Create Time,Campaign Name,Ad Group Name,Ad Name');
  });
});

describe('blocked words', () => {
  it('hide comments that have them', async () => {
    await post('blockedword/create', { blocked_words: ['Scam', 'fake'] });
    const { id } = await say('This is a SCAM');
    const hidden = (await list()).find((row) => row['comment_id'] === id);
    expect(hidden).toMatchObject({ comment_status: 'HIDDEN', hit_blockedword: true });
    expect((await get('blockedword/check', { blocked_words: ['scam', 'ok'] })).results).toEqual([
      { word: 'scam', blocked: true },
      { word: 'ok', blocked: false },
    ]);
    await post('blockedword/update', { old_word: 'fake', new_word: 'fraud' });
    expect((await send('blockedword/update', { old_word: 'fake', new_word: 'x' })).code).toBe(40007);
    const page = await get('blockedword/list', { page_info: { page: 2, page_size: 1 } });
    expect([page.list, page.page_info.total_number]).toEqual([[{ bw_content: 'fraud' }], 2]);
    const { task_id } = await post('blockedword/task/create', { lang: 'EN' });
    tiktok.running.clock.advance(60_000);
    expect(await csv('blockedword/task/download', task_id)).toBe('blocked_word\r\nScam\r\nfraud\r\n');
    await post('blockedword/delete', { blocked_words: ['SCAM', 'fraud'] });
    expect((await get('blockedword/list')).list).toEqual([]);
    expect((await list()).find((row) => row['comment_id'] === id)).toMatchObject({ comment_status: 'PUBLIC' });
    expect((await send('blockedword/create', { blocked_words: ['x'.repeat(151)] })).code).toBe(40002);
  });
});

describe('automated rules', () => {
  const rule = (more: Row = {}) => ({
    name: 'Stop what is dear',
    actions: [{ subject_type: 'TURN_OFF' }],
    apply_objects: [{ dimension: 'ADGROUP', dimension_ids: [adgroup_id], pre_condition_type: 'SELECTED' }],
    conditions: [{ subject_type: 'CPA', match_type: 'GT', range_type: 'TODAY', values: ['20'] }],
    notification: { notification_type: 'ANY_CHANGES' },
    rule_exec_info: { exec_time_type: 'PER_HALF_HOUR' },
    ...more,
  });
  const status = async () =>
    (await get('adgroup/get', { filtering: { adgroup_ids: [adgroup_id] } })).list[0].operation_status;

  it('are made, changed, bound, and do what they say', async () => {
    const [rule_id] = (await post('optimizer/rule/create', { rules: [rule()] })).rule_ids;
    expect((await get('optimizer/rule/get', { rule_ids: [rule_id] })).rules[0]).toMatchObject({
      rule_id,
      ...rule(),
      rule_status: 'ON',
    });
    const strange = rule({
      apply_objects: [{ dimension: 'AD', dimension_ids: ['1'], pre_condition_type: 'SELECTED' }],
    });
    expect((await send('optimizer/rule/create', { rules: [strange] })).code).toBe(40007);
    expect((await send('optimizer/rule/create', { rules: [rule({ conditions: [{ subject_type: 'X' }] })] })).code).toBe(
      40002,
    );
    await tiktok.control('POST', `/optimizer_rules/${rule_id}/run`);
    expect(await status()).toBe('DISABLE');
    const { rules } = await get('optimizer/rule/result/list');
    expect(rules[0]).toMatchObject({ rule_id, object_count: 1 });
    const details = await get('optimizer/rule/result/get', {
      result_detail: [{ rule_id, exec_id: rules[0].exec_id }],
    });
    expect(details.result_details[0].objects).toEqual([
      { dimension: 'ADGROUP', dimension_id: adgroup_id, action: 'TURN_OFF' },
    ]);
    await post('optimizer/rule/update', { rules: [{ ...rule({ actions: [{ subject_type: 'TURN_ON' }] }), rule_id }] });
    const unbind = { rule_id, dimension: 'ADGROUP', dimension_ids: [adgroup_id], bind_type: 'UNBIND' };
    await post('optimizer/rule/batch_bind', { bind_info: [unbind] });
    await tiktok.control('POST', `/optimizer_rules/${rule_id}/run`);
    expect(await status()).toBe('DISABLE');
    await post('optimizer/rule/batch_bind', { bind_info: [{ ...unbind, bind_type: 'BIND' }] });
    await tiktok.control('POST', `/optimizer_rules/${rule_id}/run`);
    expect(await status()).toBe('ENABLE');
    await post('optimizer/rule/update/status', { rule_ids: [rule_id], operate_type: 'TURN_OFF' });
    expect(await tiktok.control('POST', `/optimizer_rules/${rule_id}/run`)).toEqual({ result: null });
    await post('optimizer/rule/update/status', { rule_ids: [rule_id], operate_type: 'DELETE' });
    expect((await get('optimizer/rule/list')).rules).toEqual([]);
  });
});

describe('brand safety and fatigue', () => {
  it('settings are kept for each ad account', async () => {
    expect(await get('tiktok_inventory_filters/get')).toMatchObject({ brand_safety_type: 'EXPANDED_INVENTORY' });
    await post('tiktok_inventory_filters/update', { brand_safety_type: 'LIMITED_INVENTORY' });
    expect((await send('tiktok_inventory_filters/update', { brand_safety_type: 'NONE' })).code).toBe(40002);
    expect(await get('tiktok_inventory_filters/get')).toMatchObject({ brand_safety_type: 'LIMITED_INVENTORY' });
    const other = { advertiser_id: tiktok.ready.advertiser_ids[1] };
    expect(await get('tiktok_inventory_filters/get', other)).toMatchObject({ brand_safety_type: 'EXPANDED_INVENTORY' });
  });

  it('apps are blocked, let in, and all let in', async () => {
    expect((await post('pangle_block_list/update', { add_app_list: ['app.a', 'app.b', 'app.a'] })).success_count).toBe(
      2,
    );
    expect((await post('pangle_block_list/update', { delete_app_list: ['app.a'] })).success_count).toBe(1);
    expect((await get('pangle_block_list/get')).app_list).toEqual(['app.b']);
    await post('pangle_block_list/update', { clear_old_app: true });
    expect((await get('pangle_block_list/get')).app_list).toEqual([]);
    expect((await send('pangle_block_list/update', {})).code).toBe(40002);
    expect((await get('pangle_audience_package/get')).packages.length).toBeGreaterThan(0);
  });

  it('an ad is tired on the day on which it was found to be', async () => {
    const date = tiktok.running.clock.now().toISOString().slice(0, 10);
    const filtering = { start_date: date, end_date: date };
    const read = async () => (await get('creative_fatigue/get', { ad_id: ad['ad_id'], filtering })).list[0].metrics;
    expect((await read()).has_fatigue).toBe(false);
    await tiktok.control('POST', '/creative_fatigue', { ad_id: ad['ad_id'], fatigue_index: 91 });
    expect(await read()).toMatchObject({ has_fatigue: true, fatigue_index: 91 });
    const query = { advertiser_id: usd, ad_id: ad['ad_id'], filtering: { ...filtering, start_date: '2020-01-01' } };
    expect((await tiktok.get('creative_fatigue/get', query)).code).toBe(40002);
  });
});

it('the change log tells what happened to an object', async () => {
  const created = String(ad['create_time']);
  await post('adgroup/update', { adgroup_id, budget: 75 });
  await post('adgroup/status/update', { adgroup_ids: [adgroup_id], operation_status: 'DISABLE' });
  tiktok.running.clock.advance(1_000);
  const end_time = tiktok.running.clock.now().toISOString().slice(0, 19).replace('T', ' ');
  const { task_id } = await post('changelog/task/create', {
    start_time: created,
    end_time,
    object_type: 'ADGROUP',
    object_ids: [adgroup_id],
  });
  expect((await get('changelog/task/check', { task_id })).status).toBe('PROCESSING');
  tiktok.running.clock.advance(60_000);
  const { changelog } = await get('changelog/task/download', { task_id });
  const told = changelog.file_data.logs.map((line: { activity_details: Row[] }) => line.activity_details[0]);
  expect(told).toContainEqual({ action: 'budget', name: 'Budget', before_after: ['50', '75'] });
  expect(told).toContainEqual({ action: 'status', name: 'Status', before_after: ['ENABLE', 'DISABLE'] });
  expect(changelog.file_data.changes.budget).toBe(1);
  expect((await send('changelog/task/create', { start_time: end_time, end_time: created })).code).toBe(40002);
});
