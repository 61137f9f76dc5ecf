/**
 * Many writes in one call: each done once, each with its own answer. Status changes travel in the platform's own
 * batches; whatever must wait for quota waits, as long as that is a matter of a minute.
 */
import type { Scope } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import type { ObjectName, Unified } from '../connector/types.ts';
import { asPolyadError, type ErrorBody, errorBody, PolyadError } from '../errors/index.ts';
import type { WriteAnswer, WriteCall, Writes } from '../idempotency/writes.ts';

/** Writes of one call. */
export const MAX_BULK_ITEMS = 1_000;
/** Items at work at the same time: enough to use a quota of tens of calls a second, few enough to leave room for others. */
const PARALLEL = 8;
/** Longest wait for quota that an item sits out; longer ones are its answer. */
const MAX_WAIT_MS = 60_000;
/** How often an item that nothing came of is tried again. */
const MAX_TRIES = 3;

export type BulkItem =
  | { method: 'create'; body: Unified; idempotency_key?: string | undefined }
  | { method: 'update'; id: string; body: Unified; idempotency_key?: string | undefined }
  | { method: 'status'; id: string; status: string; idempotency_key?: string | undefined }
  | { method: 'remove'; id: string; idempotency_key?: string | undefined };

export interface BulkResult {
  /** Position of the item in the call. */
  index: number;
  method: BulkItem['method'];
  /** Of the object. */
  id?: string;
  /** HTTP status that this write would have had by itself. */
  status: number;
  /** The object as it was created or now is; for status changes its id and status. */
  object?: unknown;
  error?: ErrorBody;
  /** The kept answer of an earlier request under the same key. */
  replayed?: true;
}

export interface BulkCall extends Omit<WriteCall, 'idempotencyKey'> {
  /** Of the whole call; items without a key of their own get one from it and their position. */
  idempotencyKey?: string | undefined;
}

/** One piece of work: a single item, or status changes that travel together. */
type Work = readonly { index: number; item: BulkItem }[];

export class Bulk {
  readonly #writes: Writes;
  readonly #clock: Clock;

  constructor(writes: Writes, clock: Clock) {
    this.#writes = writes;
    this.#clock = clock;
  }

  /** Results in the order in which they come. Items that have been begun are finished when the reader goes. */
  async *run(
    scope: Scope,
    object: ObjectName,
    items: readonly BulkItem[],
    call: BulkCall,
  ): AsyncGenerator<BulkResult, void, undefined> {
    const { idempotencyKey: whole, ...options } = call;
    const keyOf = (index: number): string | undefined =>
      items[index]?.idempotency_key ?? (whole === undefined ? undefined : `${whole}#${index}`);
    const ready: BulkResult[] = [];
    const todo: Work[] = [];
    const byStatus = new Map<string, { index: number; item: BulkItem }[]>();
    for (const [index, item] of items.entries()) {
      if (item.method !== 'status') todo.push([{ index, item }]);
      else byStatus.set(item.status, [...(byStatus.get(item.status) ?? []), { index, item }]);
    }
    todo.push(...byStatus.values());

    let next = 0;
    let wake: (() => void) | undefined;
    let running = 0;
    let left = false;
    const emit = (results: readonly BulkResult[]): void => {
      ready.push(...results);
      wake?.();
    };
    // Never fails: nobody listens to it when the reader has gone.
    const worker = async (): Promise<void> => {
      running += 1;
      while (next < todo.length && !left && !scope.signal.aborted) {
        const work = todo[next++] as Work;
        emit(await this.#patiently(scope, work, () => this.#once(scope, object, work, keyOf, options)));
      }
      running -= 1;
      wake?.();
    };
    for (let count = Math.min(PARALLEL, todo.length); count > 0; count -= 1) void worker();
    try {
      for (;;) {
        while (ready.length > 0) yield ready.shift() as BulkResult;
        if (running === 0) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      left = true;
    }
    scope.signal.throwIfAborted();
  }

  /** Sits out short waits for quota: an item that was refused for it has not been carried out. */
  async #patiently(scope: Scope, work: Work, once: () => Promise<BulkResult[]>): Promise<BulkResult[]> {
    for (let tries = 1; ; tries += 1) {
      const results = await once();
      const waits = results.map(({ error }) => (error?.code === 'quota_wait' ? (error.retry_after_ms ?? 1_000) : 0));
      const wait = Math.max(...waits);
      // Changes of a batch that went through are not repeated for those that did not: each has its own answer.
      if (wait === 0 || wait > MAX_WAIT_MS || tries >= MAX_TRIES || work.length > 1) return results;
      try {
        await this.#clock.sleep(wait, scope.signal);
      } catch {
        // The caller has gone: nobody waits for another try.
        return results;
      }
    }
  }

  async #once(
    scope: Scope,
    object: ObjectName,
    work: Work,
    keyOf: (index: number) => string | undefined,
    options: Omit<WriteCall, 'idempotencyKey'>,
  ): Promise<BulkResult[]> {
    const [only] = work;
    if (only === undefined) return [];
    const { index, item } = only;
    try {
      if (only.item.method === 'status') {
        const changes = work.map((one) => ({ id: (one.item as { id: string }).id, key: keyOf(one.index) }));
        const outcomes = await this.#writes.setStatus(scope, object, only.item.status, changes, options);
        return work.map((one, position) => {
          const outcome = outcomes[position] as WriteAnswer | PolyadError;
          return outcome instanceof PolyadError
            ? failed(one.index, one.item, outcome, scope.requestId)
            : done(one.index, one.item, outcome);
        });
      }
      return [done(index, item, await this.#single(scope, object, item, { ...options, idempotencyKey: keyOf(index) }))];
    } catch (error) {
      return work.map((one) => failed(one.index, one.item, asPolyadError(error), scope.requestId));
    }
  }

  #single(scope: Scope, object: ObjectName, item: BulkItem, call: WriteCall): Promise<WriteAnswer> {
    switch (item.method) {
      case 'create':
        return this.#writes.create(scope, object, item.body, call);
      case 'update':
        return this.#writes.update(scope, object, item.id, item.body, call);
      case 'status':
        return this.#writes.update(scope, object, item.id, { status: item.status }, call);
      case 'remove':
        return this.#writes.remove(scope, object, item.id, call);
    }
  }
}

function done(index: number, item: BulkItem, { status, body, replayed }: WriteAnswer): BulkResult {
  const base = { index, method: item.method, status, ...(replayed ? { replayed: true as const } : {}) };
  const own = 'id' in item ? { id: item.id } : {};
  if (status >= 400) return { ...base, ...own, error: body as ErrorBody };
  const { id } = body as { id?: unknown };
  return { ...base, ...(typeof id === 'string' ? { id } : own), object: body };
}

function failed(index: number, item: BulkItem, error: PolyadError, requestId: string): BulkResult {
  const own = 'id' in item ? { id: item.id } : {};
  return { index, method: item.method, ...own, status: error.status, error: errorBody(error, requestId) };
}
