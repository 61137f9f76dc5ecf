/**
 * The way to the shared counter: operations that come together travel together, and each gets its own answer. What they
 * mean is in `redis-store.ts`, what becomes of them in `redis-script.ts`.
 */
import { Redis } from 'ioredis';
import type { Clock } from '../clock.ts';
import { type BucketClaim, bucketId } from './bucket.ts';
import { boundaries } from './calendar.ts';
import { SCRIPT } from './redis-script.ts';

/** Operations in one trip, and trips under way. More of either only makes the server's other callers wait. */
const BATCH = 64;
const TRIPS = 4;

interface Op {
  body: Record<string, unknown>;
  resolve?: (out: unknown) => void;
  reject?: (error: Error) => void;
}

const KINDS = { log: 'L', fixed: 'F', gcra: 'G' } as const;

type Scripted = Redis & { polyadPace(prefix: string, message: string): Promise<string> };

export interface RedisWireOptions {
  /** Connection string, or a client that is then owned here. */
  redis: string | Redis;
  clock: Clock;
  /** Name of this node. */
  node: string;
  /** Begins all keys. */
  prefix: string;
  /** Time for the counter instead of the server's own. */
  serverTime: (() => number) | undefined;
  /** Told when the client has reached the server. */
  ready(): void;
  /** Told of every trip that failed, before its operations are. */
  lost(error: Error): void;
}

export class RedisWire {
  /** The counter's life that was joined; undefined before. Operations for another one are refused there. */
  epoch: string | undefined;
  readonly #redis: Scripted;
  readonly #options: RedisWireOptions;
  #queue: Op[] = [];
  #trips = 0;
  #scheduled = false;

  constructor(options: RedisWireOptions) {
    const { redis } = options;
    this.#options = options;
    this.#redis = (
      typeof redis === 'string'
        ? new Redis(redis, {
            enableOfflineQueue: false,
            maxRetriesPerRequest: 0,
            commandTimeout: 1_000,
            connectTimeout: 2_000,
            retryStrategy: (times) => Math.min(1_000, times * 100),
          })
        : redis
    ) as Scripted;
    // Faults are seen at the commands; without a listener the client would print them.
    this.#redis.on('error', () => undefined);
    this.#redis.on('ready', () => options.ready());
    this.#redis.defineCommand('polyadPace', { numberOfKeys: 1, lua: SCRIPT });
  }

  async ping(): Promise<void> {
    await this.#redis.ping();
  }

  disconnect(): void {
    this.#redis.disconnect();
  }

  /** Operations that wait or are under way. */
  get pending(): number {
    return this.#queue.length + this.#trips;
  }

  /** A claim as the script reads it. */
  claim(claim: BucketClaim): Record<string, unknown> {
    const { rule, learn, limit, windowMs } = claim;
    return {
      id: bucketId(claim),
      kind: rule?.kind === 'concurrency' ? (rule.holds === 'job' ? 'J' : 'C') : KINDS[rule?.kind ?? 'log'],
      limit,
      w: windowMs,
      cost: claim.cost ?? 1,
      min: learn?.min ?? 1,
      max: learn?.max ?? 0,
      ...(rule?.kind === 'gcra' ? { burst: rule.burst } : {}),
      // Window edges around now: the server's clock picks, so that a skewed node does no harm.
      ...(rule?.kind === 'fixed' ? { s: this.#edges(claim, rule) } : {}),
    };
  }

  #edges({ windowMs }: BucketClaim, { align }: { align: 'epoch' | { at: string; zone: string } }): number[] {
    const now = this.#options.serverTime?.() ?? this.#options.clock.now().getTime();
    const [start, end] = boundaries(align, windowMs, now);
    const [before] = boundaries(align, windowMs, start - 1);
    const [, after] = boundaries(align, windowMs, end);
    return [before, start, end, after];
  }

  /** One operation and its answer. Rejects when the counter cannot be reached, or is not the one that was joined. */
  send(body: Record<string, unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ body, resolve, reject });
      this.#schedule();
    });
  }

  /** An operation without an answer. */
  async fire(op: Record<string, unknown>): Promise<void> {
    try {
      await this.send(op);
    } catch {
      // The report at the next join says it all.
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#trips >= TRIPS || this.#queue.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const ops = this.#queue.splice(0, BATCH);
      if (ops.length === 0) return;
      this.#trips += 1;
      void this.#trip(ops).finally(() => {
        this.#trips -= 1;
        this.#schedule();
      });
      this.#schedule();
    });
  }

  async #trip(ops: Op[]): Promise<void> {
    const joins = ops.some(({ body }) => body['o'] === 'j');
    const { node, prefix, serverTime, lost } = this.#options;
    const message = {
      node,
      ...(joins || this.epoch === undefined ? {} : { epoch: this.epoch }),
      ...(serverTime === undefined ? {} : { now: serverTime() }),
      ops: ops.map(({ body }) => body),
    };
    try {
      const text = await this.#redis.polyadPace(prefix, JSON.stringify(message));
      const answer = JSON.parse(text) as { rejoin?: boolean; out: unknown[]; now: number };
      if (answer.rejoin === true) throw new Error('the shared counter was emptied');
      ops.forEach(({ resolve }, index) => {
        resolve?.(answer.out[index]);
      });
    } catch (error) {
      lost(error as Error);
      for (const { reject } of ops) reject?.(error as Error);
    }
  }
}
