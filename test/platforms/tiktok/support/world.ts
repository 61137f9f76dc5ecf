/** The TikTok module behind the real request pipeline, over HTTP, against the TikTok simulator. */
import { type Contexts, Contexts as ContextsClass } from '../../../../src/core/calls/context.ts';
import { Pipeline } from '../../../../src/core/calls/pipeline.ts';
import type { TokenSource } from '../../../../src/core/calls/ports.ts';
import { Meter, type Scope } from '../../../../src/core/calls/scope.ts';
import { PlatformRegistry } from '../../../../src/core/connector/registry.ts';
import type {
  CallContext,
  Classification,
  ObjectName,
  OrganizationFacts,
  PlatformRequest,
} from '../../../../src/core/connector/types.ts';
import { Breakers } from '../../../../src/core/http/breaker.ts';
import { RetryBudgets } from '../../../../src/core/http/budget.ts';
import { HttpClient } from '../../../../src/core/http/client.ts';
import { EgressPolicy } from '../../../../src/core/http/egress.ts';
import { parseItemQuery, parseListQuery, type RawQuery } from '../../../../src/core/model/list-query.ts';
import { ObjectService } from '../../../../src/core/objects/service.ts';
import { SpendGuard } from '../../../../src/core/objects/spend.ts';
import { Pacer } from '../../../../src/core/pacing/pacer.ts';
import { ReportService } from '../../../../src/core/reports/service.ts';
import type { ConnectionRow, WorkspaceRow } from '../../../../src/core/store/schema.ts';
import tiktok from '../../../../src/platforms/tiktok/index.ts';
import { EagerClock } from '../../../support/eager-clock.ts';
import { startTikTok, type TestTikTok } from '../../../support/tiktok-simulator.ts';

// biome-ignore lint/suspicious/noExplicitAny: unified objects of every kind; each test says what it expects.
export type Any = any;

export interface World {
  simulator: TestTikTok;
  organization: string;
  /** Requests of the module since the last `sent.length = 0`. */
  sent: PlatformRequest[];
  revoked: Classification[];
  context(environment?: 'simulator' | 'sandbox'): CallContext;
  list(object: ObjectName, query?: RawQuery, environment?: 'simulator' | 'sandbox'): Promise<Any[]>;
  get(object: ObjectName, id: string, query?: RawQuery): Promise<Any>;
  create(
    object: ObjectName,
    body: Any,
    options?: { dryRun?: boolean; environment?: 'simulator' | 'sandbox' },
  ): Promise<Any>;
  update(object: ObjectName, id: string, body: Any, environment?: 'simulator' | 'sandbox'): Promise<Any>;
  remove(object: ObjectName, id: string): Promise<void>;
  report(query: RawQuery, environment?: 'simulator' | 'sandbox'): Promise<Any[]>;
  close(): Promise<void>;
}

const quiet = { debug() {}, warn() {} };

/** Starts a simulator and a module on it; the first ad account of the ready token is `organization`. */
export async function startWorld(): Promise<World> {
  const simulator = await startTikTok();
  const { ready } = simulator;
  const clock = new EagerClock(simulator.running.clock.now());
  const sent: PlatformRequest[] = [];
  const revoked: Classification[] = [];
  const connection = (environment: string): ConnectionRow =>
    ({
      id: `connection-${environment}`,
      workspace_id: 'workspace',
      integration_type: 'tiktokads',
      environment,
      permissions: [],
      native_scopes: [],
      is_paused: false,
      version: 1,
      account: environment === 'sandbox' ? { organization_ids: [ready.sandbox_advertiser_id] } : {},
    }) as unknown as ConnectionRow;
  const tokens: TokenSource = {
    tokenFor: async ({ environment }) => ({
      accessToken: environment === 'sandbox' ? ready.sandbox_access_token : ready.access_token,
    }),
    appFor: async () => ({ client_id: ready.app_id, client_secret: ready.secret }),
    reportRevoked: async (_connection, failure) => {
      revoked.push(failure);
      return { reconnectUrl: 'https://reconnect.test' };
    },
    reportHealthy: () => {},
    reportOrganizationLost: async () => {},
  };
  const registry = new PlatformRegistry([tiktok]);
  const http = new HttpClient(new EgressPolicy({ allow: ['127.0.0.0/8'] }));
  const pipeline = new Pipeline({
    http,
    pacer: new Pacer(clock),
    breakers: new Breakers(clock),
    budgets: new RetryBudgets(),
    tokens,
    clock,
    hosts: new Map([
      ['tiktok/simulator', simulator.url],
      ['tiktok/sandbox', `${simulator.url}/sandbox`],
    ]),
    random: () => 0,
    log: quiet,
  });
  const original = pipeline.request.bind(pipeline);
  pipeline.request = (scope, platform, request, patience) => {
    if (scope.recorder === undefined || request.method === 'GET') sent.push(request);
    return original(scope, platform, request, patience);
  };
  const contexts: Contexts = new ContextsClass({ registry, pipeline, tokens, clock, log: quiet });
  const guards = { of: async (_workspace: string, _type: string, at: OrganizationFacts) => new SpendGuard([], at) };
  const objects = new ObjectService({ registry, contexts, clock, guards });
  const reports = new ReportService(registry, contexts, clock);
  const scope = (environment: 'simulator' | 'sandbox' = 'simulator'): Scope => ({
    workspace: { id: 'workspace' } as WorkspaceRow,
    connection: connection(environment),
    requestId: 'r',
    signal: new AbortController().signal,
    meter: new Meter(),
  });
  return {
    simulator,
    organization: ready.advertiser_ids[0] as string,
    sent,
    revoked,
    context: (environment) => contexts.open(scope(environment), tiktok),
    list: (object, query = {}, environment) => objects.list(scope(environment), object, parseListQuery(object, query)),
    get: (object, id, { org_id, ...query } = {}) => {
      const options = { ...parseItemQuery(object, query), ...(typeof org_id === 'string' ? { org_id } : {}) };
      return objects.get(scope(), object, id, options);
    },
    create: (object, body, { dryRun = false, environment } = {}) =>
      objects.create(scope(environment), object, body, { dryRun }),
    update: (object, id, body, environment) => objects.update(scope(environment), object, id, body, {}),
    remove: async (object, id) => void (await objects.remove(scope(), object, id, {})),
    report: async (query, environment) =>
      Array.fromAsync(await reports.run(scope(environment), parseListQuery('report', query))) as Promise<Any[]>,
    async close() {
      await http.close();
      await simulator.close();
    },
  };
}
