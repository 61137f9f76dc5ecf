/** Puts the core together: one runtime per process, handed to the server, the CLI and the workers. */
import { Contexts } from './calls/context.ts';
import { PassthroughService } from './calls/passthrough.ts';
import { Pipeline } from './calls/pipeline.ts';
import type { TokenSource } from './calls/ports.ts';
import type { QuotaRequest } from './calls/quota-claims.ts';
import type { Scope } from './calls/scope.ts';
import type { UsageSink } from './calls/usage.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { PlatformRegistry } from './connector/registry.ts';
import type { CallContext } from './connector/types.ts';
import { CreatorBook } from './creators/book.ts';
import { Breakers } from './http/breaker.ts';
import { RetryBudgets } from './http/budget.ts';
import { HttpClient } from './http/client.ts';
import { Journal } from './idempotency/journal.ts';
import { Writes } from './idempotency/writes.ts';
import { Bulk } from './objects/bulk.ts';
import { ObjectService } from './objects/service.ts';
import { SpendGuards } from './objects/spend.ts';
import type { Walks } from './objects/walks/book.ts';
import { Pacer } from './pacing/pacer.ts';
import { type Plan, planCalls } from './pacing/plan.ts';
import { ReportService } from './reports/service.ts';
import type { Store, StoreLog } from './store/port.ts';
import { forgetKeptSegments } from './store/repositories/index.ts';

export interface RuntimeParts {
  config: Config;
  store: Store;
  registry: PlatformRegistry;
  clock: Clock;
  log: StoreLog;
  http: HttpClient;
  tokens: TokenSource;
  /** Shared with whatever else uses the platforms' quotas; default: one of its own. */
  pacer?: Pacer;
  /** Shared with token calls; default: its own. */
  breakers?: Breakers;
  /** Counts what is called at platforms. */
  usage?: UsageSink;
  /** What callers of lists were handed out; default: in memory. */
  walks?: Walks;
  /** 0 ≤ x < 1; tests pass a fixed one. */
  random?: () => number;
}

export interface Runtime {
  config: Config;
  store: Store;
  registry: PlatformRegistry;
  clock: Clock;
  log: StoreLog;
  pacer: Pacer;
  objects: ObjectService;
  /** Creates, updates and removals, each done once; `objects` has the reads. */
  writes: Writes;
  bulk: Bulk;
  journal: Journal;
  breakers: Breakers;
  budgets: RetryBudgets;
  reports: ReportService;
  passthrough: PassthroughService;
  /** What calls would take at the platforms' quotas, without making any. */
  plan(calls: readonly { scope: Scope; request: QuotaRequest; count: number }[]): Promise<Plan>;
  /** The way of calls with other credentials than those of connections; quotas, breakers and retries are the same. */
  pipelineWith(tokens: TokenSource): Pipeline;
  /** The context platform code runs in, for probes and lists outside the object services. */
  context(scope: Scope): CallContext;
  /** Forgets look-up tables of a connection, after its grant changed. */
  forget(connectionId: string): void;
}

export function createRuntime(parts: RuntimeParts): Runtime {
  const { config, store, registry, clock, log, http, tokens } = parts;
  const pacer = parts.pacer ?? new Pacer(clock);
  const tiers = config.quotaTiers === undefined ? {} : { tiers: config.quotaTiers };
  const counted = parts.usage === undefined ? {} : { usage: parts.usage };
  const breakers = parts.breakers ?? new Breakers(clock);
  const budgets = new RetryBudgets();
  const pipelineWith = (source: TokenSource): Pipeline =>
    new Pipeline({
      http,
      pacer,
      breakers,
      budgets,
      tokens: source,
      clock,
      hosts: config.hosts,
      ...tiers,
      ...counted,
      random: parts.random ?? Math.random,
      log,
    });
  const pipeline = pipelineWith(tokens);
  const contexts = new Contexts({ registry, pipeline, tokens, clock, log });
  const objects = new ObjectService({
    ...{ registry, contexts, clock, guards: new SpendGuards(store) },
    observer: new CreatorBook(store, clock),
    walks: parts.walks,
  });
  const journal = new Journal({ store, clock, log });
  const writes = new Writes(objects, journal, (connection_id) => forgetKeptSegments(store.db, { connection_id }));
  return {
    config,
    store,
    registry,
    clock,
    log,
    pacer,
    objects,
    writes,
    bulk: new Bulk(writes, clock),
    journal,
    breakers,
    budgets,
    reports: new ReportService(registry, contexts, clock),
    passthrough: new PassthroughService({
      registry,
      http,
      pacer,
      breakers,
      tokens,
      clock,
      hosts: config.hosts,
      ...tiers,
      ...counted,
    }),
    plan: async (calls) =>
      planCalls(
        pacer,
        await Promise.all(
          calls.map(async ({ scope, request, count }) => ({
            claims: await pipeline.claims(scope, registry.get(scope.connection.integration_type), request),
            count,
          })),
        ),
      ),
    pipelineWith,
    context: (scope) => contexts.open(scope, registry.get(scope.connection.integration_type)),
    forget: (connectionId) => contexts.forget(connectionId),
  };
}

export { HttpClient };
