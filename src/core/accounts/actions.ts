/** Requests, assignments and shares of ad accounts: checked, sent once, and written down. */
import type { Scope } from '../calls/scope.ts';
import type { AccountAction } from '../connector/accounts-spec.ts';
import type { Native } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { fingerprint } from '../idempotency/fingerprint.ts';
import { parseDecimal } from '../model/decimal.ts';
import { DryRun } from '../objects/dry-run.ts';
import type { Runtime } from '../runtime.ts';
import type { AccountTrees } from './tree.ts';

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,190}$/;

type Issue = { path: string; reason: string };
type Field = AccountAction['fields'][number];

export interface ActionOptions {
  idempotencyKey?: string | undefined;
  dryRun?: boolean;
}

export interface ActionAnswer {
  status: number;
  body: unknown;
  replayed: boolean;
}

export class AccountActions {
  readonly #runtime: Runtime;
  readonly #trees: AccountTrees;

  constructor(runtime: Runtime, trees: AccountTrees) {
    this.#runtime = runtime;
    this.#trees = trees;
  }

  /** @throws PolyadError `method_unsupported` */
  action(scope: Scope, name: string): AccountAction {
    const { actions, business } = this.#trees.spec(scope.connection);
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined)
      throw new PolyadError('method_unsupported', {
        message: `There is no action \`${name.slice(0, 60)}\` on a ${business}.`,
        details: { supported: Object.keys(actions) },
      });
    return action;
  }

  /**
   * Carries an action out. With an Idempotency-Key it is done once, whatever breaks; one that moves money wants such a key,
   * and is sent a single time under it: when its answer is lost the outcome is said to be unknown, never tried again.
   *
   * @throws PolyadError `input_invalid`, `write_outcome_unknown`, what the platform answers.
   */
  async run(scope: Scope, name: string, given: Native, options: ActionOptions): Promise<ActionAnswer> {
    const action = this.action(scope, name);
    const body = readBody(action, given);
    const { idempotencyKey: key, dryRun } = options;
    if (dryRun === true) {
      const recorder = new DryRun();
      const report = await recorder.run(() => this.#send({ ...scope, recorder }, action, body, 'dry-run'));
      return { status: 200, body: { dry_run: report }, replayed: false };
    }
    if (action.money === true && key === undefined)
      throw new PolyadError('input_invalid', {
        message: 'An action that moves money needs an Idempotency-Key.',
        details: { issues: [{ path: 'Idempotency-Key', reason: 'is missing' }] },
      });
    if (key === undefined)
      return { status: 200, body: await this.#send(scope, action, body, scope.requestId), replayed: false };
    const begun = await this.#runtime.journal.begin(scope, {
      route: `account ${name}`,
      key,
      fingerprint: fingerprint({ body }),
    });
    if (begun.replay !== undefined) return { ...begun.replay, replayed: true };
    const { entry } = begun;
    try {
      if (entry.sentAt !== undefined) {
        // It left once, and nobody heard the answer.
        if (action.money === true)
          throw new PolyadError('write_outcome_unknown', {
            details: { check: 'Look at the transactions of the business before you send it again under another key.' },
          });
        await entry.startAfresh();
      }
      const answer = await this.#send(
        { ...scope, signal: entry.signal, gate: entry },
        action,
        body,
        entry.requestToken,
      );
      await entry.done(answer);
      return { status: 200, body: answer, replayed: false };
    } catch (error) {
      await entry.failed(error, scope.requestId);
      throw error;
    }
  }

  async #send(scope: Scope, action: AccountAction, body: Native, token: string): Promise<Native> {
    const answer = await this.#runtime.context(scope).request(action.request(body, token));
    return action.read(answer.json);
  }
}

/** The body, every member checked. @throws PolyadError `input_invalid` with all that is wrong. */
function readBody({ fields }: AccountAction, given: Native): Native {
  const issues: Issue[] = [];
  const out: Native = {};
  for (const name of Object.keys(given))
    if (!fields.some((field) => field.name === name))
      issues.push({ path: name, reason: `is not known; known are ${fields.map((field) => field.name).join(', ')}` });
  for (const field of fields) {
    const value = given[field.name];
    if (value === undefined || value === null) {
      if (field.required) issues.push({ path: field.name, reason: 'is missing' });
      continue;
    }
    const reason = fault(field, value);
    if (reason === undefined) out[field.name] = field.kind === 'amount' ? parseDecimal(value as string) : value;
    else issues.push({ path: field.name, reason });
  }
  if (issues.length > 0) throw new PolyadError('input_invalid', { details: { issues } });
  return out;
}

function fault({ kind, choices, most = 1000 }: Field, value: unknown): string | undefined {
  const isId = (one: unknown): boolean => typeof one === 'string' && ID.test(one);
  switch (kind) {
    case 'id':
      return isId(value) ? undefined : 'must be an id';
    case 'ids':
    case 'emails': {
      const right = kind === 'ids' ? isId : (one: unknown) => typeof one === 'string' && EMAIL.test(one);
      return Array.isArray(value) && value.length > 0 && value.length <= most && value.every(right)
        ? undefined
        : `must be a list of 1 to ${most} ${kind === 'ids' ? 'ids' : 'e-mail addresses'}`;
    }
    case 'choice':
      return choices?.includes(String(value)) === true ? undefined : `must be one of ${choices?.join(', ')}`;
    case 'amount': {
      const amount = typeof value === 'string' || typeof value === 'number' ? parseDecimal(value) : undefined;
      return amount !== undefined && /^\d*[1-9]|\.\d*[1-9]/.test(amount) && !amount.startsWith('-')
        ? undefined
        : 'must be an amount above 0, such as "250.50"';
    }
    default:
      return typeof value === 'string' && value !== '' && value.length <= 2000 ? undefined : 'must be a text';
  }
}
