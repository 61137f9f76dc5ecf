/** Spend guards: limits that a workspace sets to what writes may spend, checked before anything is sent. */
import { getPath } from '../connector/fields.ts';
import type { ObjectSpec } from '../connector/object-spec.ts';
import type { Native, OrganizationFacts, Unified } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import {
  addDecimals,
  compareDecimals,
  type Decimal,
  divideDecimals,
  multiplyDecimals,
  parseDecimal,
  subtractDecimals,
} from '../model/decimal.ts';
import type { Store } from '../store/port.ts';
import { guardsOf } from '../store/repositories/index.ts';
import type { Amounts, SpendGuardRow, SpendRules } from '../store/schema.ts';

/** A budget as a write sets it, or as an object has it. */
export interface Budget {
  amount: Decimal | undefined;
  period: string | undefined;
  /** The write says that there is none. */
  lifted?: boolean;
}

/** The rules that hold for one write. */
export class SpendGuard {
  readonly #rows: readonly SpendGuardRow[];
  readonly #organization: OrganizationFacts;

  constructor(rows: readonly SpendGuardRow[], organization: OrganizationFacts) {
    this.#rows = rows;
    this.#organization = organization;
  }

  /** Objects are created paused unless the caller names a status. */
  get createPaused(): boolean {
    // The ad account's own rule goes before the workspace's.
    const own = this.#rows.find((row) => row.organization_id !== '' && row.rules.create_paused !== undefined);
    return (own ?? this.#rows.find((row) => row.rules.create_paused !== undefined))?.rules.create_paused ?? false;
  }

  /** Whether budgets are limited. */
  get limits(): boolean {
    return this.#rows.some(({ rules }) => LIMITS.some((name) => rules[name] !== undefined));
  }

  /**
   * @throws PolyadError `spend_guard_exceeded`, `spend_guard_currency`
   */
  check(next: Budget, current: Budget | undefined): void {
    if (next.lifted === true && current?.amount !== undefined) this.#kept(current.amount);
    const period = next.period ?? current?.period;
    const amount = next.amount ?? current?.amount;
    // A budget that is only repeated was allowed before, or set by somebody else.
    if (amount === undefined || (current !== undefined && same(amount, current.amount) && period === current.period))
      return;
    for (const row of this.#rows) {
      const { max_increase_percent } = row.rules;
      for (const rule of rulesOf(period)) {
        const limits = row.rules[rule];
        if (limits !== undefined) this.#within(row, rule, limits, amount);
      }
      if (max_increase_percent !== undefined && current?.amount !== undefined && period === current.period)
        this.#growth(row, max_increase_percent, current.amount, amount);
    }
  }

  /** Without its budget an object may spend anything. */
  #kept(current: Decimal): void {
    for (const row of this.#rows) {
      const rule = LIMITS.find((name) => row.rules[name] !== undefined);
      if (rule !== undefined)
        throw new PolyadError('spend_guard_exceeded', {
          message: `The budget of ${current} cannot be taken away: what is left would have no limit (\`${rule}\`).`,
          details: { ...this.#facts(row, rule), current },
        });
    }
  }

  #within(row: SpendGuardRow, rule: keyof SpendRules, limits: Amounts, amount: Decimal): void {
    const { currency } = this.#organization;
    const limit = currency === undefined ? undefined : limits[currency];
    if (limit === undefined)
      throw new PolyadError('spend_guard_currency', {
        message: `The spend guard \`${rule}\` names no amount in ${currency ?? 'the currency of this ad account'}.`,
        details: { ...this.#facts(row, rule), currency, allowed: Object.keys(limits) },
      });
    if (compareDecimals(amount, limit) > 0)
      throw new PolyadError('spend_guard_exceeded', {
        message: `A budget of ${amount} ${currency} is over the limit of ${limit} ${currency} (\`${rule}\`).`,
        details: { ...this.#facts(row, rule), limit, amount, currency },
      });
  }

  #growth(row: SpendGuardRow, percent: number, from: Decimal, to: Decimal): void {
    const factor = addDecimals('1', divideDecimals(percent, '100', { scale: 6 }));
    const limit = multiplyDecimals(from, factor);
    if (compareDecimals(to, limit) <= 0) return;
    const increase =
      compareDecimals(from, '0') === 0
        ? undefined
        : divideDecimals(multiplyDecimals(subtractDecimals(to, from), '100'), from, { scale: 2, rounding: 'ceil' });
    throw new PolyadError('spend_guard_exceeded', {
      message: `A change from ${from} to ${to}${increase === undefined ? '' : ` (+${increase} %)`} is more than the ${percent} % that one change may add (\`max_increase_percent\`).`,
      details: { ...this.#facts(row, 'max_increase_percent'), limit, amount: to, current: from },
    });
  }

  #facts(row: SpendGuardRow, rule: keyof SpendRules) {
    return {
      rule,
      guard: row.organization_id === '' ? 'workspace' : 'organization',
      organization_id: this.#organization.id,
    };
  }
}

const same = (a: Decimal, b: Decimal | undefined): boolean => b !== undefined && compareDecimals(a, b) === 0;

/** The rules that limit amounts. */
const LIMITS = ['max_daily_budget', 'max_total_budget', 'max_increase_percent'] as const;

/** The limits for budgets of a period; one that we do not know must keep to both. */
function rulesOf(period: string | undefined): readonly ('max_daily_budget' | 'max_total_budget')[] {
  if (period === 'DAILY') return ['max_daily_budget'];
  if (period === 'MONTHLY' || period === 'TOTAL' || period === 'LIFETIME') return ['max_total_budget'];
  return ['max_daily_budget', 'max_total_budget'];
}

/**
 * The budget in a native body. `unified`: the body decoded.
 *
 * @throws PolyadError `input_value_invalid` for native members that say something of the budget which cannot be read
 */
export function budgetIn(native: Native, unified: Unified, spec: Pick<ObjectSpec, 'fields'>): Budget {
  const budget = budgetOf(unified);
  if (budget.amount !== undefined) return budget;
  const path = spec.fields.find((rule) => rule.unified === 'budget_amount')?.native;
  const value = typeof path === 'string' ? getPath(native, path) : undefined;
  if (value === undefined) return budget;
  if (value === null || value === '' || compareWithZero(value)) return { ...budget, lifted: true };
  throw new PolyadError('input_value_invalid', {
    message: `\`raw.${String(path)}\` is no amount of money, so spend guards cannot judge it.`,
    details: { field: `raw.${String(path)}`, reason: 'is no amount of money' },
  });
}

function compareWithZero(value: unknown): boolean {
  const amount = typeof value === 'number' || typeof value === 'string' ? parseDecimal(value) : undefined;
  return amount !== undefined && compareDecimals(amount, '0') <= 0;
}

/** The budget in a decoded object. */
export function budgetOf(unified: Unified): Budget {
  const { budget_amount: amount, budget_period: period, budget_unit: unit } = unified;
  // Budgets of impressions are no money.
  const money = unit === undefined || unit === 'CURRENCY' || unit === 'UNSPECIFIED';
  return { amount: money ? parseDecimal(amount) : undefined, period: typeof period === 'string' ? period : undefined };
}

/** Where the object service gets the guards of a write from. */
export interface GuardSource {
  of(workspaceId: string, integrationType: string, organization: OrganizationFacts): Promise<SpendGuard>;
}

/** The guards that are stored. */
export class SpendGuards implements GuardSource {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async of(workspaceId: string, integrationType: string, organization: OrganizationFacts): Promise<SpendGuard> {
    const scope = { integration_type: integrationType, organization_id: organization.id };
    return new SpendGuard(await guardsOf(this.#store.db, workspaceId, scope), organization);
  }
}
