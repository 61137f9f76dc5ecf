/**
 * Automated rules and what they did. The simulator does not watch conditions: the control API runs a rule as if its
 * conditions were met, and its switches (turn on, turn off) are carried out on the objects that it names.
 */
import type { Collection } from '../kit/types.ts';
import type { Native, World } from './types.ts';

type Target = { dimension: string; dimension_ids?: string[]; pre_condition_type?: string };

/** One execution. */
export interface RuleResult {
  /** exec_id */
  id: string;
  advertiser_id: string;
  rule_id: string;
  rule_name: unknown;
  exec_time: string;
  changed: { dimension: string; dimension_id: string; action: string }[];
}

/** Rules, as they were sent, with `rule_id` and `rule_status`. */
export const rulesOf = (world: World): Collection<Native> =>
  world.store.collection<Native>('optimizer_rules', { advertiser: (row) => row.advertiser_id });

/** Executions. */
export const results = (world: World): Collection<RuleResult> =>
  world.store.collection<RuleResult>('optimizer_results', { advertiser: (row) => row.advertiser_id });

/** A rule with objects added to or taken from those it applies to. */
export function bindings(rule: Native, dimension: string, ids: readonly string[], add: boolean): Native {
  const targets = (rule['apply_objects'] as Target[]).filter((target) => target.dimension !== dimension);
  const before = (rule['apply_objects'] as Target[]).find((target) => target.dimension === dimension);
  const kept = (before?.dimension_ids ?? []).filter((id) => !ids.includes(id));
  const target: Target = {
    pre_condition_type: 'SELECTED',
    ...before,
    dimension,
    dimension_ids: add ? [...kept, ...ids] : kept,
  };
  return { ...rule, apply_objects: [...targets, target] };
}

/** Runs a rule on the objects that it names. A rule that is off does nothing. */
export function runRule(world: World, rule: Native): RuleResult | undefined {
  if (rule['rule_status'] !== 'ON') return undefined;
  const stamp = world.stamp();
  const changed: RuleResult['changed'] = [];
  const actions = (rule['actions'] as { subject_type: string }[]).map(({ subject_type }) => subject_type);
  for (const target of rule['apply_objects'] as Target[]) {
    const rows =
      target.dimension === 'AD' ? world.ads : target.dimension === 'ADGROUP' ? world.adgroups : world.campaigns;
    for (const id of target.dimension_ids ?? []) {
      const row = rows.get(id);
      if (!row || row['operation_status'] === 'DELETE') continue;
      for (const action of actions) {
        const operation_status = action === 'TURN_ON' ? 'ENABLE' : action === 'TURN_OFF' ? 'DISABLE' : undefined;
        if (operation_status !== undefined) rows.put({ ...row, operation_status, modify_time: stamp });
        changed.push({ dimension: target.dimension, dimension_id: id, action });
      }
    }
  }
  const result: RuleResult = {
    id: world.nextId(),
    advertiser_id: rule.advertiser_id,
    rule_id: rule.id,
    rule_name: rule['name'],
    exec_time: stamp,
    changed,
  };
  results(world).put(result);
  return result;
}
