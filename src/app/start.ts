/**
 * The composition root: the one place where store, platforms, simulators, core and server meet. What it starts it stops
 * again, in the opposite order.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { TokenSweep } from '../core/auth/life/sweep.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import { loadPlatforms, type PlatformRegistry } from '../core/connector/registry.ts';
import type { CreatorSweep } from '../core/creators/sweep.ts';
import { PolyadError } from '../core/errors/index.ts';
import { startRounds } from '../core/jobs/rounds.ts';
import { loadZones } from '../core/model/zone.ts';
import type { ReportRunner } from '../core/report-jobs/runner.ts';
import type { Runtime } from '../core/runtime.ts';
import { openStore, type Store, type StoreLog } from '../core/store/port.ts';
import type { Services } from '../server/services.ts';
import type { SimulatorInfo, SimulatorThread } from '../simulators/kit/worker.ts';
import { startHousekeeping } from './housekeeping.ts';
import { createLog, type Log } from './log.ts';
import { buildCore, type Core, type TokenCare } from './services.ts';

export interface StartOptions {
  config: Config;
  /** Folder of platform modules. Default: those of this build. */
  platformsDir?: URL;
  /** Default: the machine's clock. */
  clock?: Clock;
  /** Default: JSON lines on stderr at `config.logLevel`. */
  log?: Log;
  /** Whether work goes on while nobody calls (the sweep of tokens). Default: yes. */
  rounds?: boolean;
  /** Default: the usual leases, and nobody is told of the steps of a renewal. */
  tokenCare?: TokenCare;
}

/** How often tokens are looked after, in ms. */
const TOKEN_ROUND_MS = 15_000;
/** How often it is looked whether a creator's authorization is due, in ms. */
const CREATOR_ROUND_MS = 10 * 60_000;
/** How often files of reports that are past their time are removed, in ms. */
const REPORT_ROUND_MS = 10 * 60_000;

/** A server that is listening. */
export interface App {
  config: Config;
  /** Address it listens on: `http://127.0.0.1:3000`. */
  url: string;
  /** Address under which browsers reach it: POLYAD_PUBLIC_URL, or `url`. */
  publicUrl: string;
  /** Simulators that run in this process, by id. */
  simulators: Readonly<Record<string, SimulatorInfo>>;
  store: Store;
  registry: PlatformRegistry;
  runtime: Runtime;
  services: Services;
  tokenSweep: TokenSweep;
  creatorSweep: CreatorSweep;
  reportRunner: ReportRunner;
  server: FastifyInstance;
  log: StoreLog;
  /** Says that it is leaving and goes on taking requests for `config.drainMs`, so that load balancers notice first. */
  drain(): Promise<void>;
  /**
   * Stops: no new requests, those under way are finished (at most `deadlineMs`), rows that wait are written, then
   * simulators and store are closed. A second call waits for the first.
   */
  close(deadlineMs?: number): Promise<void>;
}

/**
 * Starts everything that `config` asks for.
 *
 * @throws PolyadError `store_directory_in_use`, `store_unavailable`, `vault_key_missing`, `port_in_use` and the like; what
 *   had been started by then is stopped again.
 */
export async function startApp(options: StartOptions): Promise<App> {
  const { config } = options;
  const clock = options.clock ?? systemClock;
  const log = options.log ?? createLog(config.logLevel);
  const undo: (() => Promise<unknown>)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse())
      await step().catch((error: unknown) => log.warn({ err: error }, 'a part did not stop cleanly'));
  };

  // Before anyone else makes it with wider rights: the master key and the demo key will lie in it.
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });

  // None of these needs another, so they start side by side; whatever succeeds is undone when another fails.
  const beginning = Promise.allSettled([
    openStore({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log }),
    config.simulators ? startSimulators(config, log) : undefined,
    loadPlatforms(options.platformsDir ?? new URL('../platforms/', import.meta.url)),
    import('../server/app.ts'),
  ]);
  // While they wait for the database.
  loadZones();
  const begun = await beginning;
  const [opened, simulated, loaded, server] = begun;
  // The store goes last: everything else writes to it until it ends.
  if (opened.status === 'fulfilled') undo.push(() => opened.value.close());
  if (simulated.status === 'fulfilled' && simulated.value !== undefined)
    undo.push(() => (simulated.value as SimulatorThread).close());

  try {
    for (const one of begun) if (one.status === 'rejected') throw one.reason;
    const store = (opened as PromiseFulfilledResult<Store>).value;
    const thread = (simulated as PromiseFulfilledResult<SimulatorThread | undefined>).value;
    const registry = (loaded as PromiseFulfilledResult<PlatformRegistry>).value;
    const { buildServer } = (server as PromiseFulfilledResult<typeof import('../server/app.ts')>).value;
    const simulators = thread?.simulators ?? {};
    // An address that the operator gave (another simulator, a proxy in front of one) wins over ours.
    for (const { id, url } of Object.values(simulators))
      if (!config.hosts.has(`${id}/simulator`)) config.hosts.set(`${id}/simulator`, url);

    let url: string | undefined;
    const publicUrl = (): string => config.publicUrl ?? url ?? `http://${config.host}:${config.port}`;
    const core: Core = await buildCore({
      config,
      store,
      registry,
      clock,
      log,
      publicUrl,
      tokenCare: options.tokenCare,
    });
    undo.push(() => core.close());
    const app = await buildServer(core.runtime, core.services);
    let deadline: number | undefined;
    undo.push(async () => {
      const { cut } = await app.stop(deadline);
      if (cut > 0) log.warn({ requests: cut }, 'requests under way were cut off by the deadline');
    });
    url = await listen(app, config);
    if (config.role !== 'api') {
      const stopHousekeeping = startHousekeeping({
        ...{ store, clock, log, apiCallDays: config.callLogDays },
        conversions: core.services.conversions,
        conversionDays: config.conversionDays,
      });
      undo.push(async () => stopHousekeeping());
    }
    // The embedded database serves one process alone.
    if (config.role !== 'api' && options.rounds !== false)
      core.services.conversions.sender.start(store.engine === 'pglite');
    if (config.role !== 'api' && options.rounds !== false)
      undo.push(
        startRounds(
          [
            { name: 'tokens', everyMs: TOKEN_ROUND_MS, run: (signal) => core.tokenSweep.run(signal) },
            { name: 'creators', everyMs: CREATOR_ROUND_MS, run: (signal) => core.creatorSweep.run(signal) },
            { name: 'report files', everyMs: REPORT_ROUND_MS, run: () => core.services.reportJobs.tidy() },
          ],
          log,
        ),
        core.reportRunner.start(),
      );

    let closing: Promise<void> | undefined;
    return {
      config,
      url,
      publicUrl: publicUrl(),
      simulators,
      store,
      registry,
      runtime: core.runtime,
      services: core.services,
      tokenSweep: core.tokenSweep,
      creatorSweep: core.creatorSweep,
      reportRunner: core.reportRunner,
      server: app,
      log,
      async drain() {
        app.drain();
        // Nobody sends requests to a worker.
        if (config.role === 'worker') return;
        await new Promise((resolve) => setTimeout(resolve, config.drainMs));
      },
      close(deadlineMs) {
        deadline = deadlineMs;
        closing ??= stopAll();
        return closing;
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function listen(app: FastifyInstance, config: Config): Promise<string> {
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
      throw portInUse(config.port, 'the server', 'POLYAD_PORT', '--port');
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      throw new PolyadError('config_invalid', {
        message: `This user may not listen on port ${config.port}. Choose one above 1023 with POLYAD_PORT or --port.`,
        details: { issues: [{ variable: 'POLYAD_PORT', problem: 'not permitted' }] },
        cause: error,
      });
    throw error;
  }
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no TCP address');
  // A wildcard is an address to listen on, not one to call.
  const host = address.address === '0.0.0.0' || address.address === '::' ? '127.0.0.1' : address.address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

async function startSimulators(config: Config, log: Log): Promise<SimulatorThread> {
  const { startSimulatorThread } = await import('../simulators/kit/worker.ts');
  try {
    return await startSimulatorThread({
      port: config.simulatorPort,
      dataDir: join(config.dataDir, 'simulators'),
      log: (line) => log.info({ part: 'simulators' }, line),
    });
  } catch (error) {
    if (/EADDRINUSE/.test((error as Error).message))
      throw portInUse(config.simulatorPort, 'a simulator', 'POLYAD_SIMULATOR_PORT', '--simulator-port', error);
    throw error;
  }
}

function portInUse(port: number, who: string, variable: string, flag: string, cause?: unknown): PolyadError {
  return new PolyadError('port_in_use', {
    message: `Port ${port}, wanted by ${who}, is taken by another program. Choose another with ${variable} or ${flag} (0 = any free one).`,
    details: { port, variable },
    ...(cause === undefined ? {} : { cause }),
  });
}
