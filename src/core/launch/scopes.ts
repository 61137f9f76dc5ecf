/** Scopes that were asked for against those that calls needed: least privilege, from what was called. */
import type { LaunchSpec } from '../connector/launch-spec.ts';
import type { UsageTotal } from '../store/repositories/usage.ts';
import type { EndpointUse, ScopeReport, ScopeResult } from './types.ts';

/** Operation -> the scopes any of which opens it. */
function openers(spec: LaunchSpec): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [scope, operations] of Object.entries(spec.scopeOperations))
    for (const operation of operations) found.set(operation, [...(found.get(operation) ?? []), scope]);
  return found;
}

const named = (spec: LaunchSpec, scope: string) => ({ scope, name: spec.scopes[scope]?.name ?? scope });

/** Whether `scope` is `ancestor`, or lies below it. */
function within(spec: LaunchSpec, scope: string, ancestor: string): boolean {
  for (let at: string | undefined = scope; at !== undefined; at = spec.scopes[at]?.parent)
    if (at === ancestor) return true;
  return false;
}

/**
 * Compares. Where several scopes open an operation, one that was asked for counts as the one that was needed, so nobody is
 * sent to ask for more.
 */
export function compareScopes(
  spec: LaunchSpec,
  requested: readonly string[] | undefined,
  source: ScopeReport['source'],
  usage: readonly UsageTotal[],
): ScopeReport {
  const opens = openers(spec);
  const needed = new Map<string, Map<string, number>>();
  for (const { operation, calls } of usage) {
    const choices = opens.get(operation);
    const first = choices?.[0];
    if (choices === undefined || first === undefined) continue;
    const scope =
      choices.find((one) => requested?.some((asked) => within(spec, one, asked))) ??
      choices.find((one) => needed.has(one)) ??
      first;
    const operations = needed.get(scope) ?? new Map<string, number>();
    operations.set(operation, (operations.get(operation) ?? 0) + calls);
    needed.set(scope, operations);
  }
  const operationsOf = (scopes: readonly string[]): ScopeResult['operations'] =>
    scopes
      .flatMap((scope) => [...(needed.get(scope) ?? [])].map(([operation, calls]) => ({ operation, calls })))
      .sort((a, b) => a.operation.localeCompare(b.operation));
  const used = [...needed.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const scopes = (requested ?? []).map((scope): ScopeResult => {
    const below = used.filter((one) => within(spec, one, scope));
    const operations = operationsOf(below);
    if (below.length === 0) return { ...named(spec, scope), verdict: 'unused', operations };
    if (below.includes(scope)) return { ...named(spec, scope), verdict: 'used', operations };
    return { ...named(spec, scope), verdict: 'wider', operations, narrower: below };
  });
  const missing =
    requested === undefined ? [] : used.filter((one) => !requested.some((asked) => within(spec, one, asked)));
  return {
    source,
    scopes: [
      ...scopes,
      ...missing.map(
        (scope): ScopeResult => ({ ...named(spec, scope), verdict: 'missing', operations: operationsOf([scope]) }),
      ),
    ],
    least: used.map((scope) => named(spec, scope)),
  };
}

/** Every operation that was called, by environment. */
export function endpointUses(spec: LaunchSpec, usage: readonly UsageTotal[]): EndpointUse[] {
  const opens = openers(spec);
  const uses = new Map<string, EndpointUse>();
  for (const { operation, environment, outcome, calls, last_day } of usage) {
    const use = uses.get(operation) ?? {
      operation,
      scopes: (opens.get(operation) ?? []).map((scope) => named(spec, scope)),
      environments: {},
    };
    uses.set(operation, use);
    use.environments[environment] ??= { calls: 0, failed: 0, codes: {}, last_day };
    const counts = use.environments[environment];
    counts.calls += calls;
    if (last_day > counts.last_day) counts.last_day = last_day;
    if (outcome === '') continue;
    counts.failed += calls;
    counts.codes[outcome] = (counts.codes[outcome] ?? 0) + calls;
  }
  return [...uses.values()];
}
