/** An ad account of the TikTok simulator with thousands of campaigns, which others write to while a caller reads its list. */
import type { RunningSimulator } from '../../../src/simulators/kit/types.ts';

/** Numbers that look random and are the same in every run. */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Writes straight to TikTok, as people in its Ads Manager do. */
export class Campaigns {
  readonly #simulator: RunningSimulator;
  readonly #token: string;
  readonly advertiser: string;
  /** Ids of those that are there, oldest first. */
  live: string[] = [];
  /** Ids of all that were ever removed. */
  readonly removed = new Set<string>();

  constructor(simulator: RunningSimulator, token: string, advertiser: string) {
    this.#simulator = simulator;
    this.#token = token;
    this.advertiser = advertiser;
  }

  async #post(path: string, body: Record<string, unknown>): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.#simulator.url}/open_api/v1.3/${path}/`, {
      method: 'POST',
      headers: { 'access-token': this.#token, 'content-type': 'application/json' },
      body: JSON.stringify({ advertiser_id: this.advertiser, ...body }),
    });
    const { code, message, data } = (await answer.json()) as { code: number; message: string; data: never };
    if (code !== 0) throw new Error(`${path}: ${message}`);
    return data;
  }

  /** A second passes after every few, so that their times of creation differ. */
  async add(count: number, more: Record<string, unknown> = {}): Promise<string[]> {
    const made: string[] = [];
    for (let left = count; left > 0; left -= 20) {
      this.#simulator.clock.advance(1_000);
      const ids = await Promise.all(
        Array.from({ length: Math.min(20, left) }, async () => {
          const name = { campaign_name: `Walked ${this.live.length}`, objective_type: 'TRAFFIC' };
          const body = { ...name, budget_mode: 'BUDGET_MODE_INFINITE', ...more };
          return String((await this.#post('campaign/create', body))['campaign_id']);
        }),
      );
      made.push(...ids);
    }
    this.live.push(...made);
    return made;
  }

  async status(level: 'campaign' | 'ad', ids: readonly string[], operation_status: string): Promise<void> {
    for (let at = 0; at < ids.length; at += 20)
      await this.#post(`${level}/status/update`, { [`${level}_ids`]: ids.slice(at, at + 20), operation_status });
  }

  /** Those of the ids that are there. */
  async remove(given: readonly string[]): Promise<void> {
    const there = new Set(this.live);
    const ids = given.filter((id) => there.has(id));
    await this.status('campaign', ids, 'DELETE');
    for (const id of ids) this.removed.add(id);
    const gone = new Set(ids);
    this.live = this.live.filter((id) => !gone.has(id));
  }

  pause(ids: readonly string[]): Promise<void> {
    return this.status('campaign', ids, 'DISABLE');
  }

  start(ids: readonly string[]): Promise<void> {
    return this.status('campaign', ids, 'ENABLE');
  }

  /** Adds or removes until there are so many. */
  async have(count: number): Promise<void> {
    if (this.live.length < count) await this.add(count - this.live.length);
    else await this.remove(this.live.slice(count));
  }
}

/** One page, by its offset: ids. */
export type ReadPage = (offset: number, limit: number) => Promise<string[]>;

/**
 * What a caller reads who adds `limit` to `offset` until a short page comes. `change` is called between two pages with
 * what the caller has by then.
 */
export async function readAll(
  read: ReadPage,
  limit: number,
  change: (got: readonly string[], page: number) => Promise<unknown> | unknown = () => undefined,
): Promise<string[]> {
  const got: string[] = [];
  for (let page = 0; ; page += 1) {
    const ids = await read(page * limit, limit);
    got.push(...ids);
    if (ids.length < limit) return got;
    await change(got, page);
  }
}

/** How often rows that were there all the time were missed, and rows came twice. */
export function judge(got: readonly string[], before: readonly string[], after: readonly string[]) {
  const there = new Set(after);
  const read = new Set(got);
  const missing = before.filter((id) => there.has(id) && !read.has(id)).length;
  return { missing, double: got.length - read.size };
}

/** Every row once. */
export const WHOLE = { missing: 0, double: 0 };
