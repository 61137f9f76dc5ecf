import { reads, writes } from '../declared.ts';
import { bindings, results, rulesOf } from '../optimizer-rules.ts';
import { page } from '../paging.ts';
import { advertiserId, advertiserIdOf } from '../params.ts';
import { owned } from '../rules.ts';
import { type Call, type Endpoint, type Native, TikTokError } from '../types.ts';

/**
 * Automated rules: optimizer/rule/*. Facts: yml optimizer_rule_*, which do not type the members of `rules` in answers:
 * they are the members of the request. What optimizer/rule/update/status takes is (unverified), only its path is known.
 */

type Values = Record<string, unknown>;

const COLLECTIONS = { CAMPAIGN: 'campaigns', ADGROUP: 'adgroups', AD: 'ads' } as const;

/** Rules apply to objects of the ad account. @throws TikTokError 40007 */
function checkObjects(call: Call, rule: Values): void {
  for (const target of rule['apply_objects'] as Values[]) {
    const rows = call.world[COLLECTIONS[target['dimension'] as keyof typeof COLLECTIONS]];
    for (const id of (target['dimension_ids'] as string[] | undefined) ?? []) {
      owned(rows, String(target['dimension']).toLowerCase(), id, advertiserIdOf(call));
    }
  }
}

const ruleOf = (call: Call, id: unknown): Native => owned(rulesOf(call.world), 'rule', id, advertiserIdOf(call));

function create(call: Call): unknown {
  const rules = call.params['rules'] as Values[];
  for (const rule of rules) checkObjects(call, rule);
  const at = call.world.stamp(call.now);
  const rows = rules.map((rule): Native => {
    const id = call.world.nextId();
    return {
      ...rule,
      id,
      rule_id: id,
      advertiser_id: advertiserIdOf(call),
      rule_status: 'ON',
      tzone: rule['tzone'] ?? 'UTC',
      create_time: at,
      update_time: at,
    };
  });
  rulesOf(call.world).putAll(rows);
  return { rule_ids: rows.map(({ id }) => id) };
}

function update(call: Call): unknown {
  const rules = call.params['rules'] as Values[];
  const rows = rules.map((rule): Native => {
    const before = ruleOf(call, rule['rule_id']);
    checkObjects(call, rule);
    return { ...before, ...rule, update_time: call.world.stamp(call.now) };
  });
  rulesOf(call.world).putAll(rows);
  return { rule_ids: rows.map(({ id }) => id) };
}

function view(row: Native): Values {
  const { id: _, ...shown } = row;
  return shown;
}

function list(call: Call): unknown {
  const filtering = (call.params['filtering'] ?? {}) as Values;
  const name = String(filtering['name'] ?? '').toLowerCase();
  const rows = rulesOf(call.world)
    .by('advertiser', advertiserIdOf(call))
    .filter((row) => row['rule_status'] !== 'DELETED' && String(row['name']).toLowerCase().includes(name))
    .toReversed();
  const paged = page(rows, call, 100);
  return { rules: paged.list.map(view), page_info: paged.page_info };
}

function get(call: Call): unknown {
  const rows = (call.params['rule_ids'] as string[]).map((id) => ruleOf(call, id));
  const total_page = rows.length === 0 ? 0 : 1;
  return {
    rules: rows.map(view),
    page_info: { page: 1, page_size: rows.length, total_number: rows.length, total_page },
  };
}

function bind(call: Call): unknown {
  for (const info of call.params['bind_info'] as Values[]) {
    const rule = ruleOf(call, info['rule_id']);
    checkObjects(call, { apply_objects: [info] });
    rulesOf(call.world).put(
      bindings(rule, String(info['dimension']), info['dimension_ids'] as string[], info['bind_type'] === 'BIND'),
    );
  }
  return {};
}

const STATUSES: Readonly<Record<string, string>> = { TURN_ON: 'ON', TURN_OFF: 'OFF', DELETE: 'DELETED' };

function updateStatus(call: Call): unknown {
  const rows = (call.params['rule_ids'] as string[]).map((id) => ruleOf(call, id));
  const rule_status = STATUSES[String(call.params['operate_type'])]!;
  rulesOf(call.world).putAll(rows.map((row) => ({ ...row, rule_status })));
  return {};
}

function resultList(call: Call): unknown {
  const rows = results(call.world).by('advertiser', advertiserIdOf(call)).toReversed();
  const paged = page(rows, call, 100);
  return {
    rules: paged.list.map(({ id, rule_id, rule_name, exec_time, changed }) => ({
      exec_id: id,
      rule_id,
      rule_name,
      exec_time,
      object_count: changed.length,
    })),
    page_info: paged.page_info,
  };
}

function resultDetails(call: Call): unknown {
  return {
    result_details: (call.params['result_detail'] as Values[]).map(({ exec_id, rule_id }) => {
      const row = results(call.world).get(String(exec_id));
      if (row?.advertiser_id !== advertiserIdOf(call) || row.rule_id !== rule_id) {
        throw new TikTokError(40007, `The execution ${String(exec_id)} of the rule ${String(rule_id)} does not exist.`);
      }
      return { exec_id, rule_id, rule_name: row.rule_name, exec_time: row.exec_time, objects: row.changed };
    }),
  };
}

/** Automated rules. */
export const endpoints: Endpoint[] = [
  writes('optimizer/rule/create', create),
  writes('optimizer/rule/update', update),
  reads('optimizer/rule/list', list),
  reads('optimizer/rule/get', get),
  writes('optimizer/rule/batch_bind', bind),
  {
    method: 'POST',
    path: 'optimizer/rule/update/status',
    auth: 'token',
    write: true,
    params: [
      advertiserId,
      { name: 'rule_ids', type: 'array', items: { type: 'string' }, required: true, min: 1 },
      { name: 'operate_type', type: 'string', required: true, enum: Object.keys(STATUSES) },
    ],
    handle: updateStatus,
  },
  reads('optimizer/rule/result/list', resultList),
  reads('optimizer/rule/result/get', resultDetails),
];
