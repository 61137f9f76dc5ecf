/**
 * Answers of the TikTok simulator's endpoints for measurement, audiences, comments, automated rules and brand safety
 * against the official documents, where there is one. Each call succeeds, its request is one that the document allows,
 * and its answer has what the document names.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithTikTokSpecs, type TikTokOperation } from '../specs/tiktok-yml.ts';
import { objectsOf } from '../support/tiktok-objects.ts';
import { type Envelope, startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

type Values = Record<string, unknown>;

/** Operations of these families that have a document; each must be called below. */
const FAMILIES =
  /^(app\/optimization_event.*|audience\/.*|bc\/pixel\/.*|blockedword\/.*|comment\/.*|dmp\/.*|offline\/.*|optimizer\/.*|pangle_.*|pixel\/.*|tool\/brand_safety\/.*)$/;

let tiktok: TestTikTok;
let usd = '';
let jpy = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  [usd = '', jpy = ''] = tiktok.ready.advertiser_ids;
  await tiktok.control('PATCH', '/settings', { audience_match_percent: 100 });
});
afterAll(() => tiktok.close());

describeWithTikTokSpecs('official documents of measurement, audiences, comments and rules', (specs) => {
  const called = new Set<string>();
  const judge = (operation: TikTokOperation, answer: Envelope) => {
    called.add(operation.path);
    expect(answer, `${operation.path}: ${answer.message}`).toMatchObject({ code: 0 });
    // The document of offline/delete names a member `test`, plainly left over; the reference says that it answers nothing.
    if (operation.path !== 'offline/delete') {
      expect([operation.path, operation.checkAnswer(answer)]).toEqual([operation.path, []]);
    }
    return answer.data;
  };
  const get = async (path: string, query: Values = {}) => {
    const all = path.startsWith('bc/') ? query : { advertiser_id: usd, ...query };
    const operation = specs.operation(path)!;
    const texts = Object.fromEntries(
      Object.entries(all).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    );
    expect([path, operation.method, operation.checkQuery(texts)]).toEqual([path, 'GET', []]);
    return judge(operation, await tiktok.get(path, all));
  };
  const post = async (path: string, body: Values = {}) => {
    const all = path.startsWith('bc/') ? body : { advertiser_id: usd, ...body };
    const operation = specs.operation(path)!;
    expect([path, operation.method, operation.checkBody(all)]).toEqual([path, 'POST', []]);
    return judge(operation, await tiktok.post(path, all));
  };
  const ready = () => tiktok.running.clock.advance(60_000);

  it('pixels, their events and their Business Centers', async () => {
    const { pixel_id, pixel_code } = await post('pixel/create', { pixel_name: 'Spec', pixel_category: 'ONLINE_STORE' });
    await post('pixel/update', { pixel_id, pixel_name: 'Spec 2', advanced_matching_fields: { email: false } });
    await post('pixel/event/create', { pixel_id, pixel_events: [{ event_type: 'FORM', event_name: 'Sent' }] });
    const { pixels } = await get('pixel/list', { pixel_id });
    const event_id = pixels[0].events.at(-1).event_id;
    await post('pixel/event/update', { event_id, event_name: 'Form sent', currency: 'USD' });
    await post('pixel/event/delete', { event_id });
    const date_range = { start_date: '2026-01-01', end_date: '2026-01-07' };
    await get('pixel/event/stats', { pixel_ids: [pixel_id], date_range });
    const bc_id = tiktok.ready.bc_ids[0];
    await post('bc/pixel/transfer', { bc_id, pixel_code });
    await post('bc/pixel/link/update', { bc_id, pixel_code, advertiser_ids: [jpy], relation_status: 'LINK' });
    await get('bc/pixel/link/get', { bc_id, pixel_code, page: 1, page_size: 10 });
  });

  it('offline event sets and events of apps', async () => {
    const { event_set_id } = await post('offline/create', { name: 'Stores', description: 'All' });
    await get('offline/get', { event_set_ids: [event_set_id] });
    await post('offline/update', { event_set_id, name: 'Shops' });
    await post('offline/delete', { event_set_id });
    const app_id = (tiktok.running.ready['event_source_ids'] as { app: string }).app;
    await get('app/optimization_event', { app_id, optimization_goal: 'IN_APP_EVENT', placement: ['PLACEMENT_TIKTOK'] });
    await get('app/optimization_event/retargeting', { app_id });
  });

  const uploaded = async (from: number, to: number): Promise<string> => {
    const text = Array.from({ length: to - from }, (_, i) =>
      createHash('sha256')
        .update(`${from + i}`)
        .digest('hex'),
    ).join('\n');
    const fields = {
      advertiser_id: usd,
      calculate_type: 'EMAIL_SHA256',
      file_signature: createHash('md5').update(text).digest('hex'),
    };
    const operation = specs.operation('dmp/custom_audience/file/upload')!;
    expect(operation.checkBody({ ...fields, file: 'binary' })).toEqual([]);
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', new Blob([text]), 'people.csv');
    const init = { method: 'POST', headers: { 'Access-Token': tiktok.ready.access_token }, body: form };
    const response = await tiktok.raw('/open_api/v1.3/dmp/custom_audience/file/upload/', init);
    return judge(operation, (await response.json()) as Envelope).file_path;
  };

  it('audiences', async () => {
    const make = async (from: number, to: number): Promise<string> =>
      (
        await post('dmp/custom_audience/create', {
          custom_audience_name: 'People',
          file_paths: [await uploaded(from, to)],
          calculate_type: 'EMAIL_SHA256',
        })
      ).custom_audience_id;
    const [one, two] = [await make(0, 1000), await make(500, 1600)];
    ready();
    await post('dmp/custom_audience/update', {
      custom_audience_id: two,
      action: 'APPEND',
      file_paths: [await uploaded(0, 9)],
    });
    await get('dmp/custom_audience/list', { page: 1, page_size: 10 });
    await get('dmp/custom_audience/get', { custom_audience_ids: [one], history_size: 10 });
    await get('audience/insight/overlap', {
      benchmark_custom_audience_id: one,
      comparison_custom_audience_ids: [two],
    });
    const adgroup_ids = [await objectsOf(tiktok, usd).adgroup()];
    const apply = { custom_audience_id: one, adgroup_ids };
    await post('dmp/custom_audience/apply', { ...apply, action_mode: 'Apply', usage_mode: 'Include' });
    await get('dmp/custom_audience/apply/log', { custom_audience_ids: [one] });
    await post('dmp/custom_audience/apply', { ...apply, action_mode: 'Disconnect' });
    await post('dmp/custom_audience/share', { custom_audience_ids: [one], shared_advertiser_ids: [jpy] });
    await get('dmp/custom_audience/share/log', { custom_audience_id: one });
    await post('dmp/custom_audience/share/cancel', { custom_audience_id: one, shared_advertiser_id: jpy });
    const lookalike_spec = {
      source_audience_id: one,
      include_source: true,
      mobile_os: 'ALL',
      placements: ['TikTok'],
      location_ids: ['6252001'],
      audience_size: 'BALANCED',
    };
    const alike = await post('dmp/custom_audience/lookalike/create', { custom_audience_name: 'Alike', lookalike_spec });
    await post('dmp/custom_audience/lookalike/update', { custom_audience_ids: [alike.custom_audience_id] });
    const { pixels } = await get('pixel/list', {});
    await post('dmp/custom_audience/rule/create', {
      custom_audience_name: 'Visitors',
      audience_type: 'PIXEL',
      rule_spec: {
        inclusion_rule_set: { operator: 'OR', rules: [{ event_source_ids: [pixels[0].pixel_id], retention_days: 30 }] },
      },
    });
    await post('dmp/custom_audience/delete', { custom_audience_ids: [two] });
    const saved = await post('dmp/saved_audience/create', { saved_audience_name: 'S', location_ids: ['6252001'] });
    await get('dmp/saved_audience/list', { page: 1 });
    await post('dmp/saved_audience/delete', { saved_audience_ids: [saved.saved_audience_id] });
  });

  it('comments and blocked words', async () => {
    const objects = objectsOf(tiktok, usd);
    const adgroup_id = await objects.adgroup();
    const ad_id = await objects.ad({}, adgroup_id);
    ready();
    const search = {
      search_field: 'ADGROUP_ID',
      search_value: adgroup_id,
      start_time: '2020-01-01',
      end_time: '2099-01-01',
    };
    const { comments } = await get('comment/list', { ...search, page: 1, page_size: 10 });
    const ad = { ad_id, identity_id: comments[0].identity_id, identity_type: 'TT_USER', tiktok_item_id: '71' };
    const comment_id = comments[0].comment_id;
    const { comment } = await post('comment/post', { ...ad, comment_id, comment_type: 'REPLY', text: 'Thanks!' });
    await get('comment/reference', { comment_id, comment_type: 'ALL', page: 1 });
    await post('comment/status/update', { comment_ids: [comment_id], operation: 'HIDDEN' });
    await post('comment/delete', { ...ad, comment_id: comment.comment_id });
    await get('comment/task/check', { task_id: (await post('comment/task/create', search)).task_id });
    await post('blockedword/create', { blocked_words: ['bad'] });
    await get('blockedword/check', { blocked_words: ['bad'] });
    await get('blockedword/list', { page_info: { page: 1, page_size: 10 } });
    await post('blockedword/update', { old_word: 'bad', new_word: 'worse' });
    await get('blockedword/task/check', { task_id: (await post('blockedword/task/create')).task_id });
    await post('blockedword/delete', { blocked_words: ['worse'] });
  });

  it('automated rules and brand safety', async () => {
    const adgroup_id = await objectsOf(tiktok, usd).adgroup();
    const rule = {
      name: 'Stop',
      actions: [{ subject_type: 'TURN_OFF' }],
      apply_objects: [{ dimension: 'ADGROUP', dimension_ids: [adgroup_id], pre_condition_type: 'SELECTED' }],
      conditions: [{ subject_type: 'COST', match_type: 'GT', range_type: 'TODAY', values: ['20'] }],
      notification: { notification_type: 'NOT_NOTIFICATION' },
      rule_exec_info: { exec_time_type: 'PER_HALF_HOUR' },
    };
    const [rule_id] = (await post('optimizer/rule/create', { rules: [rule] })).rule_ids;
    await get('optimizer/rule/get', { rule_ids: [rule_id] });
    await get('optimizer/rule/list', { page: 1, page_size: 10 });
    await post('optimizer/rule/update', { rules: [{ ...rule, rule_id, name: 'Stop it' }] });
    const bind = { rule_id, dimension: 'ADGROUP', dimension_ids: [adgroup_id], bind_type: 'BIND' };
    await post('optimizer/rule/batch_bind', { bind_info: [bind] });
    await tiktok.control('POST', `/optimizer_rules/${rule_id}/run`);
    const { rules } = await get('optimizer/rule/result/list', { page: 1 });
    await get('optimizer/rule/result/get', { result_detail: [{ rule_id, exec_id: rules[0].exec_id }] });
    await get('pangle_audience_package/get');
    await get('pangle_block_list/get');
    await post('pangle_block_list/update', { add_app_list: ['com.bad.app'] });
    await get('tool/brand_safety/partner/authorize/status', { partner: 'Zefr' });
  });

  it('every document of these families was asked', () => {
    expect(specs.paths().filter((path) => FAMILIES.test(path) && !called.has(path))).toEqual([]);
  });
});
