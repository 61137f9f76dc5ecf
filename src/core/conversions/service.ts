/** Conversion events: taken in, looked up, sent again. What routes and background work call. */
import type { CredentialUse } from '../audit/uses.ts';
import type { SecretStore } from '../auth/secret-store.ts';
import { breathe } from '../breathe.ts';
import type { Pipeline } from '../calls/pipeline.ts';
import type { TokenSource } from '../calls/ports.ts';
import type { Clock } from '../clock.ts';
import { type HostOverrides, hostsFor } from '../connector/hosts.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Environment } from '../connector/types.ts';
import { errorBody, type PolyadError } from '../errors/index.ts';
import type { AdsConversion, ConversionState } from '../model/conversion.ts';
import type { Store, StoreLog } from '../store/port.ts';
import {
  closeEmptyChunks,
  countFates,
  dropEventContents,
  type FateCounts,
  overdueChunks,
  overdueLines,
  pruneFates,
  settleLines,
  waitingByPlatform,
} from '../store/repositories/index.ts';
import type { ConversionDestinationRow } from '../store/schema.ts';
import { Destinations } from './destinations.ts';
import { Intake, type IntakeItem } from './intake.ts';
import { expired, Judge, type Judged, type ReadyDestination } from './judge.ts';
import { ConversionSender } from './sender.ts';

export interface ConversionParts {
  store: Store;
  secrets: SecretStore;
  registry: PlatformRegistry;
  clock: Clock;
  log: StoreLog;
  hosts: HostOverrides;
  tokens: TokenSource;
  pipelineWith(tokens: TokenSource): Pipeline;
  /** Told of each use of a customer's credential. */
  used?: ((use: CredentialUse) => void) | undefined;
}

/** What became of one event at one destination when it came in. */
export interface ConversionResult {
  index: number;
  destination_id: string;
  event_id: string;
  id?: string;
  state: ConversionState;
  error?: Record<string, unknown>;
  native?: Record<string, unknown>;
}

export interface ConversionAnswer {
  results: ConversionResult[];
  summary: Record<'total' | 'waiting' | 'duplicate' | 'refused' | 'withheld' | 'expired', number>;
  dry_run?: { requests: Record<string, unknown>[] };
}

/** How events are taken in. */
export interface TakeOptions {
  dryRun?: boolean;
  /** Written into errors. */
  requestId: string;
  /** A single event that is refused is an error of the call, and is not kept. */
  single?: boolean;
}

interface Place extends Judged {
  index: number;
  ready: ReadyDestination;
}

export class Conversions {
  readonly destinations: Destinations;
  readonly sender: ConversionSender;
  readonly judge: Judge;
  readonly #parts: ConversionParts;
  readonly #intake: Intake;
  readonly #counts = new Map<string, number>();

  constructor(parts: ConversionParts) {
    this.#parts = parts;
    this.judge = new Judge(parts.registry);
    this.destinations = new Destinations(parts);
    this.#intake = new Intake(parts.store, parts.clock);
    this.sender = new ConversionSender({
      ...parts,
      judge: this.judge,
      counted: (platform, state, events) => this.#count(platform, state, events),
    });
  }

  /** Events by platform and state since the start of this process. */
  get counts(): { platform: string; state: string; events: number }[] {
    return [...this.#counts].map(([name, events]) => {
      const [platform = '', state = ''] = name.split('/');
      return { platform, state, events };
    });
  }

  /** Events that wait, of all processes. */
  waiting(): ReturnType<typeof waitingByPlatform> {
    return waitingByPlatform(this.#parts.store.db);
  }

  /**
   * Takes events in for some destinations. When it resolves, what is to be sent is committed.
   *
   * @throws PolyadError why a `single` event is refused; `method_unsupported` and the like of the destinations.
   */
  async take(
    rows: readonly ConversionDestinationRow[],
    events: readonly AdsConversion[],
    options: TakeOptions,
  ): Promise<ConversionAnswer> {
    const ready = rows.map((row) => this.judge.ready(row));
    const now = this.#parts.clock.now();
    const places: Place[] = [];
    for (const [index, event] of events.entries()) {
      for (const one of ready) places.push({ ...this.judge.judge(event, one, now), index, ready: one });
      const pause = breathe();
      if (pause !== undefined) await pause;
    }
    const [only] = places;
    if (options.single === true && places.length === 1 && only?.event.fate?.state === 'refused')
      throw only.error as PolyadError;
    if (options.dryRun === true) return this.#dryRun(places, options.requestId);
    const taken = await this.#intake.take(
      places.map(({ ready: { row }, testCode, event }): IntakeItem => ({ destination: row.num, testCode, event })),
    );
    for (const { row, spec } of ready) this.sender.nudge(events.length >= spec.maxEvents ? 0 : row.batch_delay_ms + 1);
    return this.#answer(
      places.map((place, position) => {
        const { id, taken: fresh } = taken[position] as { id: string; taken: boolean };
        return { ...this.#result(place, options.requestId), id, ...(fresh ? {} : { state: 'DUPLICATE' as const }) };
      }),
      places,
    );
  }

  /** How many events of each destination are in each state. */
  counted(rows: readonly ConversionDestinationRow[]): Promise<Map<string, FateCounts>> {
    return countFates(
      this.#parts.store.db,
      rows.map(({ num }) => num),
    );
  }

  /**
   * Forgets what is old: content of refused events, fates, and what waits but has grown too old to count (destinations
   * that are paused or rest send nothing, but their events age).
   */
  async tidy(keep: { fates: Date; contents: Date }): Promise<{ fates: number; contents: number }> {
    const { db } = this.#parts.store;
    await this.#expire();
    return { contents: await dropEventContents(db, keep.contents), fates: await pruneFates(db, keep.fates) };
  }

  async #expire(): Promise<void> {
    const { store, clock } = this.#parts;
    const { db } = store;
    const now = clock.now();
    const rows = await db.selectFrom('conversion_destinations').selectAll().where('deleted_at', 'is', null).execute();
    for (const row of rows) {
      if (this.#parts.registry.find(row.integration_type)?.conversions === undefined) continue;
      const { platform, spec } = this.judge.ready({ ...row, num: String(row.num) });
      const cutoff = new Date(now.getTime() - spec.maxAgeMs);
      const { code, message: reason } = expired(platform, spec);
      const chunks = await overdueChunks(db, String(row.num), cutoff, now);
      if (chunks.length === 0) continue;
      const lines = await overdueLines(db, chunks, cutoff);
      await settleLines(
        db,
        lines.map((line) => ({ ...line, state: 'expired', code, reason })),
        now,
      );
      await closeEmptyChunks(db, chunks, now);
      this.#count(row.integration_type, 'expired', lines.length);
    }
  }

  #result({ index, ready, event, error }: Place, requestId: string): ConversionResult {
    const state = (event.fate?.state.toUpperCase() ?? 'WAITING') as ConversionState;
    return {
      index,
      destination_id: ready.row.id,
      event_id: event.eventId,
      state,
      ...(error === undefined ? {} : { error: { ...errorBody(error, requestId) } }),
    };
  }

  #dryRun(places: readonly Place[], requestId: string): ConversionAnswer {
    const answer = this.#answer(
      places.map((place) => ({
        ...this.#result(place, requestId),
        ...(place.native === undefined ? {} : { native: place.native }),
      })),
      [],
    );
    const requests: Record<string, unknown>[] = [];
    const groups = Map.groupBy(
      places.filter(({ event }) => event.line !== undefined),
      ({ ready, testCode }) => `${ready.row.num}/${testCode ?? ''}`,
    );
    for (const group of groups.values()) {
      const { ready, testCode } = group[0] as Place;
      const { row, spec, platform } = ready;
      const hosts = hostsFor(platform, row.environment as Environment, this.#parts.hosts);
      for (let at = 0; at < group.length; at += spec.maxEvents) {
        const request = spec.request({
          source: row.source as 'web',
          sourceId: row.source_id,
          ...(testCode === null ? {} : { testCode }),
          events: group.slice(at, at + spec.maxEvents).map(({ event }) => event.line as string),
        });
        requests.push({
          destination_id: row.id,
          method: request.method,
          url: `${hosts[request.host ?? 'api']}${request.path}`,
          body: request.jsonText === undefined ? request.json : JSON.parse(request.jsonText),
        });
      }
    }
    return { ...answer, dry_run: { requests } };
  }

  #answer(results: ConversionResult[], kept: readonly Place[]): ConversionAnswer {
    const summary = { total: results.length, waiting: 0, duplicate: 0, refused: 0, withheld: 0, expired: 0 };
    for (const [position, { state }] of results.entries()) {
      const name = state.toLowerCase() as keyof typeof summary;
      summary[name] += 1;
      const place = kept[position];
      if (place !== undefined) this.#count(place.ready.row.integration_type, name === 'waiting' ? 'received' : name, 1);
    }
    return { results, summary };
  }

  #count(platform: string, state: string, events: number): void {
    if (events === 0) return;
    const name = `${platform}/${state}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + events);
  }
}
