/** Creates, updates and removals as callers ask for them: each done once, whatever breaks in between. */
import type { Scope } from '../calls/scope.ts';
import type { ObjectName, Unified } from '../connector/types.ts';
import { asPolyadError, type PolyadError } from '../errors/index.ts';
import type { ObjectService } from '../objects/service.ts';
import type { StatusOutcome } from '../objects/status-writer.ts';
import type { WriteOptions } from '../objects/writer.ts';
import { fingerprint } from './fingerprint.ts';
import { type Journal, tokenOf, type WriteEntry } from './journal.ts';

export interface WriteCall extends Omit<WriteOptions, 'entry'> {
  /** The same for every repetition of one write. Creations without one are recorded too, so that none is mistaken for another. */
  idempotencyKey?: string | undefined;
}

/** What a write answers. */
export interface WriteAnswer {
  /** The HTTP status: 200, or that of the error which the first request under this key met. */
  status: number;
  body: unknown;
  /** The kept answer of an earlier request under the same key. */
  replayed: boolean;
}

export class Writes {
  readonly #objects: ObjectService;
  readonly #journal: Journal;
  readonly #renamed: ((connectionId: string) => Promise<unknown>) | undefined;

  /** `renamed`: told when names that reports show may be others now. */
  constructor(objects: ObjectService, journal: Journal, renamed?: (connectionId: string) => Promise<unknown>) {
    this.#objects = objects;
    this.#journal = journal;
    this.#renamed = renamed;
  }

  /** @throws PolyadError what the write meets the first time; a repetition answers it instead. */
  create(scope: Scope, object: ObjectName, body: Unified, call: WriteCall): Promise<WriteAnswer> {
    return this.#run(scope, `create ${object}`, { body }, call, (inner, options) =>
      this.#objects.create(inner, object, body, options),
    );
  }

  /**
   * A creation that is no object body: a list, a file. `asked` is what makes it the same request. The work says by itself,
   * with the entry's gate, which of its requests creates.
   */
  createFrom(
    scope: Scope,
    object: ObjectName,
    asked: Unified,
    call: Pick<WriteCall, 'idempotencyKey' | 'org_id'>,
    work: (scope: Scope, entry: WriteEntry) => Promise<Unified>,
  ): Promise<WriteAnswer> {
    return this.#run(scope, `create ${object}`, { body: asked }, call, ({ gate: _gate, ...open }, { entry }) =>
      work(open, entry as WriteEntry),
    );
  }

  update(scope: Scope, object: ObjectName, id: string, body: Unified, call: WriteCall): Promise<WriteAnswer> {
    return this.#run(scope, `update ${object}`, { id, body }, call, (inner, options) =>
      this.#objects.update(inner, object, id, body, options),
    ).finally(() => ('name' in body && call.dryRun !== true ? this.#renamed?.(scope.connection.id) : undefined));
  }

  remove(scope: Scope, object: ObjectName, id: string, call: WriteCall): Promise<WriteAnswer> {
    return this.#run(scope, `remove ${object}`, { id }, call, (inner, options) =>
      this.#objects.remove(inner, object, id, options),
    ).finally(() => (call.dryRun === true ? undefined : this.#renamed?.(scope.connection.id)));
  }

  /**
   * Sets one status on several objects, in as few requests as the platform allows. One outcome per change, in their
   * order: a change of its own is kept under a key of its own.
   */
  async setStatus(
    scope: Scope,
    object: ObjectName,
    status: string,
    changes: readonly { id: string; key: string | undefined }[],
    options: Omit<WriteCall, 'idempotencyKey'>,
  ): Promise<(WriteAnswer | PolyadError)[]> {
    const outcomes = new Map<number, WriteAnswer | PolyadError>();
    const entries = new Map<number, WriteEntry>();
    for (const [index, { id, key }] of changes.entries()) {
      if (key === undefined || options.dryRun === true) continue;
      try {
        // The fingerprint and route of the same change made by itself.
        const begun = await this.#journal.begin(scope, {
          route: `update ${object}`,
          key,
          fingerprint: fingerprint({ id, body: { status }, org_id: options.org_id, raw: options.raw ?? {} }),
        });
        if (begun.replay === undefined) entries.set(index, begun.entry);
        else outcomes.set(index, { ...begun.replay, replayed: true });
      } catch (error) {
        outcomes.set(index, asPolyadError(error));
      }
    }
    const open = changes.flatMap(({ id }, index) => (outcomes.has(index) ? [] : [{ id, index }]));
    const ids = [...new Set(open.map(({ id }) => id))];
    const found = await this.#objects.setStatus(scope, object, ids, status, options).catch((thrown) => {
      // Every change gets an outcome: one that is left open would keep its key busy.
      const outcome: StatusOutcome = { error: asPolyadError(thrown) };
      return new Map(ids.map((id) => [id, outcome]));
    });
    for (const { id, index } of open) {
      const { error, unified: body = { id, status } } = found.get(id) ?? {};
      if (error === undefined) await entries.get(index)?.done(body);
      else await entries.get(index)?.failed(error, scope.requestId);
      outcomes.set(index, error ?? { status: 200, body, replayed: false });
    }
    return changes.map((_change, index) => outcomes.get(index) as WriteAnswer | PolyadError);
  }

  async #run(
    scope: Scope,
    route: string,
    asked: { id?: string; body?: Unified },
    call: WriteCall,
    work: (scope: Scope, options: WriteOptions) => Promise<Unified>,
  ): Promise<WriteAnswer> {
    const { idempotencyKey: key, ...options } = call;
    const creates = route.startsWith('create ');
    // An update or a removal that nobody will repeat needs no record: it sets a state, whoever asks how often.
    if (options.dryRun === true || (key === undefined && !creates)) {
      const shown = key === undefined ? options : { ...options, requestToken: tokenOf(scope, route, key) };
      return { status: 200, body: await work(scope, shown), replayed: false };
    }
    const begun = await this.#journal.begin(scope, {
      route,
      key,
      fingerprint: fingerprint({ ...asked, org_id: options.org_id, raw: options.raw ?? {} }),
    });
    if (begun.replay !== undefined) return { ...begun.replay, replayed: true };
    return this.#recorded(scope, begun.entry, creates, { ...options, entry: begun.entry }, work);
  }

  async #recorded(
    scope: Scope,
    entry: WriteEntry,
    creates: boolean,
    options: WriteOptions,
    work: (scope: Scope, options: WriteOptions) => Promise<Unified>,
  ): Promise<WriteAnswer> {
    let body: Unified;
    try {
      // Updates and removals set a state: what an earlier run may have done is done again without harm.
      const repeated = !creates && entry.sentAt !== undefined;
      if (repeated) await entry.startAfresh();
      body = await work({ ...scope, signal: entry.signal, gate: entry }, { ...options, repeated });
    } catch (error) {
      await entry.failed(error, scope.requestId);
      throw error;
    }
    await entry.done(body);
    return { status: 200, body, replayed: false };
  }
}
