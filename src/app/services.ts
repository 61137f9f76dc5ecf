/** Puts the core together: everything between the opened store and the routes. */
import { openRefreshLease } from '../core/auth/life/open-lease.ts';
import { prober } from '../core/auth/life/probe.ts';
import { TokenSweep } from '../core/auth/life/sweep.ts';
import { createConnectionServices, createTokenServices } from '../core/auth/services.ts';
import { Signer } from '../core/auth/signing.ts';
import type { Clock } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import type { PlatformRegistry } from '../core/connector/registry.ts';
import { HttpClient } from '../core/http/client.ts';
import { EgressPolicy } from '../core/http/egress.ts';
import { Pacer } from '../core/pacing/pacer.ts';
import { createRuntime, type Runtime } from '../core/runtime.ts';
import { createStoreCache } from '../core/store/cache.ts';
import { createCallLog } from '../core/store/call-log.ts';
import type { Store, StoreLog } from '../core/store/port.ts';
import type { Services } from '../server/services.ts';
import { openVault } from './secrets.ts';

export interface CoreParts {
  config: Config;
  store: Store;
  registry: PlatformRegistry;
  clock: Clock;
  log: StoreLog;
  /** Address under which browsers reach the server; asked for when a link is made, so it may be learned late. */
  publicUrl(): string;
}

export interface Core {
  runtime: Runtime;
  services: Services;
  /** Looks after tokens while nobody calls; one run at a time per process. */
  tokenSweep: TokenSweep;
  /** Writes what waits, waits for what goes on after answers, closes sockets. The store stays open. */
  close(): Promise<void>;
}

/** Builds runtime and services over an opened store. @throws PolyadError what `openVault` throws. */
export async function buildCore({ config, store, registry, clock, log, publicUrl }: CoreParts): Promise<Core> {
  const vault = await openVault({ config, store, clock, log }, { server: true });
  const http = new HttpClient(
    new EgressPolicy({ trusted: config.hosts, allow: config.egressAllow, ports: config.egressPorts }),
  );
  const pacer = new Pacer(clock);
  const parts = {
    store,
    secrets: vault.secrets,
    registry,
    http,
    pacer,
    clock,
    log,
    signer: new Signer(vault.keyring.all().map((key) => key.bytes)),
    hosts: config.hosts,
    publicUrl,
  };
  const lease = await openRefreshLease(config, store, log);
  const tokenServices = createTokenServices({ ...parts, lease: lease.lease });
  const { tokens, apps } = tokenServices;
  const runtime = createRuntime({ config, store, registry, clock, log, http, tokens, pacer });
  const connectionServices = createConnectionServices(parts, tokenServices, runtime);
  const tokenSweep = new TokenSweep({ store, registry, clock, log, tokens, probe: prober(runtime) });
  const cache = createStoreCache(store);
  const callLog = createCallLog({ db: store.db, log });
  return {
    runtime,
    tokenSweep,
    services: { ...connectionServices, apps, cache, callLog, signer: parts.signer, vault: vault.admin, publicUrl },
    async close() {
      await runtime.journal.close();
      await connectionServices.connections.settle();
      await callLog.close();
      await vault.close();
      await tokens.close();
      await lease.close();
      apps.close();
      cache.close();
      await http.close();
    },
  };
}
