/** Puts the core together: everything between the opened store and the routes. */
import { createConnectionServices, createTokenServices } from '../core/auth/services.ts';
import { Signer } from '../core/auth/signing.ts';
import type { Clock } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import type { PlatformRegistry } from '../core/connector/registry.ts';
import { HttpClient } from '../core/http/client.ts';
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
  /** Writes what waits, waits for what goes on after answers, closes sockets. The store stays open. */
  close(): Promise<void>;
}

/** Builds runtime and services over an opened store. @throws PolyadError what `openVault` throws. */
export async function buildCore({ config, store, registry, clock, log, publicUrl }: CoreParts): Promise<Core> {
  const vault = await openVault({ config, store, clock, log }, { server: true });
  const http = new HttpClient();
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
  const tokenServices = createTokenServices(parts);
  const { tokens, apps } = tokenServices;
  const runtime = createRuntime({ config, store, registry, clock, log, http, tokens, pacer });
  const connectionServices = createConnectionServices(parts, tokenServices, runtime);
  const cache = createStoreCache(store);
  const callLog = createCallLog({ db: store.db, log });
  return {
    runtime,
    services: { ...connectionServices, apps, cache, callLog, signer: parts.signer, vault: vault.admin, publicUrl },
    async close() {
      await connectionServices.connections.settle();
      await callLog.close();
      await vault.close();
      tokens.close();
      apps.close();
      cache.close();
      await http.close();
    },
  };
}
