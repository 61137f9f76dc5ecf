/** Numbers for Prometheus. One registry per server, so that several servers in one process do not mix. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Conversions } from '../core/conversions/service.ts';
import type { CircuitReport } from '../core/http/breaker.ts';
import type { Pacer } from '../core/pacing/pacer.ts';
import { conversionMetrics } from './conversion-metrics.ts';
import { quotaMetrics } from './quota-metrics.ts';
import { statusOf } from './request.ts';

/** Seconds; platforms answer in tenths of seconds to tens of seconds. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface MetricSources {
  /** Calls waiting to be written to the call log. */
  callLogDepth(): number;
  /** Rows the call log had to give up. */
  callLogDropped(): number;
  /** Quotas of the platforms. */
  pacer: Pick<Pacer, 'waiting' | 'rows' | 'counts' | 'status'>;
  /** Conversion events since the start, and those that wait. */
  conversions: Pick<Conversions, 'counts' | 'waiting'>;
  /** Circuit breakers that have seen calls lately. */
  circuits(): readonly CircuitReport[];
  /** Retry budgets that have been used. */
  retryBudgets(): readonly { key: string; left: number }[];
}

export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Histogram<'route' | 'method' | 'platform' | 'status'>;
  readonly #platform: Histogram<'operation' | 'platform' | 'environment'>;
  readonly #errors: Counter<'code' | 'platform'>;
  readonly #aborted: Counter<'route'>;
  readonly #active: Gauge;

  constructor(sources: MetricSources) {
    const registers = [this.registry];
    // Process, garbage collector and event-loop lag.
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Histogram({
      name: 'polyad_http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last byte of its answer.',
      labelNames: ['route', 'method', 'platform', 'status'],
      buckets: SECONDS,
      registers,
    });
    this.#platform = new Histogram({
      name: 'polyad_platform_duration_seconds',
      help: 'Time spent at the platform during one request.',
      labelNames: ['operation', 'platform', 'environment'],
      buckets: SECONDS,
      registers,
    });
    this.#errors = new Counter({
      name: 'polyad_errors_total',
      help: 'Errors answered, by code of docs/errors.md.',
      labelNames: ['code', 'platform'],
      registers,
    });
    this.#aborted = new Counter({
      name: 'polyad_http_aborted_total',
      help: 'Requests whose client was gone before the answer was complete.',
      labelNames: ['route'],
      registers,
    });
    this.#active = new Gauge({ name: 'polyad_http_requests_active', help: 'Requests under way.', registers });
    quotaMetrics(sources.pacer, registers);
    conversionMetrics(sources.conversions, registers);
    new Gauge({
      name: 'polyad_circuit_open',
      help: 'Circuit breakers: 1 = calls are refused, 0.5 = a probe is due or under way, 0 = closed.',
      labelNames: ['platform', 'environment', 'endpoints'],
      registers,
      collect() {
        this.reset();
        for (const { platform, environment, endpoints, state } of sources.circuits())
          this.set({ platform, environment, endpoints }, state === 'open' ? 1 : state === 'half_open' ? 0.5 : 0);
      },
    });
    new Gauge({
      name: 'polyad_retry_budget_left',
      help: 'Tokens left for repeating calls to a failing platform; 500 when it works.',
      labelNames: ['platform'],
      registers,
      collect() {
        for (const { key, left } of sources.retryBudgets()) this.set({ platform: key }, left);
      },
    });
    new Gauge({
      name: 'polyad_call_log_depth',
      help: 'Calls waiting to be written to the call log.',
      registers,
      collect() {
        this.set(sources.callLogDepth());
      },
    });
    new Gauge({
      name: 'polyad_call_log_dropped',
      help: 'Calls that the call log had to give up since the start.',
      registers,
      collect() {
        this.set(sources.callLogDropped());
      },
    });
  }

  begun(): void {
    this.#active.inc();
  }

  /** Counts a finished request. Labels are route patterns and names, never ids. */
  observe(request: FastifyRequest, reply: FastifyReply): void {
    this.#active.dec();
    const { state } = request;
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    const platform = state.connection?.integration_type ?? '';
    const seconds = (performance.now() - state.startedAt) / 1000;
    this.#requests.observe({ route, method: request.method, platform, status: String(statusOf(reply)) }, seconds);
    if (state.meter.calls > 0)
      this.#platform.observe(
        {
          operation: request.routeOptions.config.operation ?? 'none',
          platform,
          environment: state.connection?.environment ?? '',
        },
        state.meter.upstreamMs / 1000,
      );
    if (state.error !== undefined) this.#errors.inc({ code: state.error.code, platform });
    // An answer that broke off at the platform is an error and nobody's hanging up.
    else if (!reply.raw.writableFinished) this.#aborted.inc({ route });
  }
}
