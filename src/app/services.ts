/** Puts the core together: everything between the opened store and the routes. */

import { AccountActions } from '../core/accounts/actions.ts';
import { AccountPicker } from '../core/accounts/picker.ts';
import { AccountTrees } from '../core/accounts/tree.ts';
import { Audiences } from '../core/audiences/service.ts';
import { AuditLog } from '../core/audit/log.ts';
import type { CredentialUse } from '../core/audit/uses.ts';
import type { CustomerAct } from '../core/auth/connect.ts';
import { type LeaseTimes, openRefreshLease } from '../core/auth/life/open-lease.ts';
import { prober } from '../core/auth/life/probe.ts';
import type { StepHook } from '../core/auth/life/steps.ts';
import { TokenSweep } from '../core/auth/life/sweep.ts';
import { createConnectionServices, createTokenServices } from '../core/auth/services.ts';
import { Signer } from '../core/auth/signing.ts';
import { PlatformUsage } from '../core/calls/usage.ts';
import type { Clock } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import type { PlatformRegistry } from '../core/connector/registry.ts';
import { Conversions } from '../core/conversions/service.ts';
import { CreatorSweep } from '../core/creators/sweep.ts';
import { PolyadError } from '../core/errors/index.ts';
import { Hooks } from '../core/hooks/receive.ts';
import { Breakers } from '../core/http/breaker.ts';
import { HttpClient } from '../core/http/client.ts';
import { EgressPolicy } from '../core/http/egress.ts';
import { knownSecrets } from '../core/http/redact-values.ts';
import { LaunchService } from '../core/launch/service.ts';
import { Leads } from '../core/leads/service.ts';
import { MediaUploads } from '../core/media/upload.ts';
import { openWalks } from '../core/objects/walks/open.ts';
import { openPacer } from '../core/pacing/open.ts';
import { ReportFiles } from '../core/report-jobs/files.ts';
import { ReportRunner } from '../core/report-jobs/runner.ts';
import { ReportJobs } from '../core/report-jobs/service.ts';
import { createRuntime, type Runtime } from '../core/runtime.ts';
import { createStoreCache } from '../core/store/cache.ts';
import { createCallLog } from '../core/store/call-log.ts';
import type { Store, StoreLog } from '../core/store/port.ts';
import { Authentication } from '../server/authentication.ts';
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
  tokenCare?: TokenCare | undefined;
}

/** Shorter leases and fault injection: how tests kill a server at every step of a renewal. */
export interface TokenCare extends LeaseTimes {
  onStep?: StepHook | undefined;
}

export interface Core {
  runtime: Runtime;
  services: Services;
  /** Looks after tokens while nobody calls; one run at a time per process. */
  tokenSweep: TokenSweep;
  /** Watches creators' authorizations while nobody calls. */
  creatorSweep: CreatorSweep;
  /** Makes reports in the background. */
  reportRunner: ReportRunner;
  /** Writes what waits, waits for what goes on after answers, closes sockets. The store stays open. */
  close(): Promise<void>;
}

/** An access level that no quota of the platform knows would silently mean the lowest one. */
function checkTiers({ quotaTiers }: Config, registry: PlatformRegistry): void {
  for (const [id, tier] of quotaTiers ?? []) {
    const platform = registry.all().find(({ manifest }) => manifest.id === id);
    const known = new Set(platform?.manifest.quotas.flatMap(({ tiers }) => Object.keys(tiers ?? {})));
    if (known.has(tier)) continue;
    const fix =
      platform === undefined
        ? `There is no platform \`${id}\`.`
        : `${platform.manifest.name} has ${[...known].join(', ') || 'one level only'}.`;
    throw new PolyadError('config_invalid', {
      message: `POLYAD_QUOTA_TIERS: \`${id}=${tier}\` is not known. ${fix}`,
      details: { issues: [{ variable: 'POLYAD_QUOTA_TIERS', problem: 'names an unknown level', fix }] },
    });
  }
}

/** A master key must reach no log in any of the forms in which people write it. */
function learnMasterKeys(keys: readonly Uint8Array[]): void {
  for (const key of keys)
    for (const encoding of ['base64', 'base64url', 'hex'] as const)
      knownSecrets.learn(Buffer.from(key).toString(encoding));
}

/** Builds runtime and services over an opened store. @throws PolyadError what `openVault` throws. */
export async function buildCore({
  config,
  store,
  registry,
  clock,
  log,
  publicUrl,
  tokenCare,
}: CoreParts): Promise<Core> {
  const vault = await openVault({ config, store, clock, log }, { server: true });
  const http = new HttpClient(
    new EgressPolicy({ trusted: config.hosts, allow: config.egressAllow, ports: config.egressPorts }),
  );
  checkTiers(config, registry);
  const pacing = await openPacer(config, clock, log);
  const { pacer } = pacing;
  const masterKeys = vault.keyring.all().map((key) => key.bytes);
  learnMasterKeys(masterKeys);
  const signer = new Signer(masterKeys);
  const audit = new AuditLog({ store, clock, log, signer });
  const breakers = new Breakers(clock);
  const parts = {
    store,
    secrets: vault.secrets,
    registry,
    http,
    pacer,
    breakers,
    clock,
    log,
    signer,
    used: (use: CredentialUse) => audit.used(use),
    acted: ({ connection, again, requestId, ipAddress }: CustomerAct) =>
      audit.append({
        ...{ workspaceId: connection.workspace_id, requestId, ipAddress },
        actor: { kind: 'customer', name: connection.account.name },
        action: again ? 'reauthorizeConnection' : 'authorizeConnection',
        objectType: 'UnifiedConnection',
        objectId: connection.id,
        connectionId: connection.id,
        details: {
          integration_type: connection.integration_type,
          environment: connection.environment,
          permissions: connection.permissions,
        },
      }),
    hosts: config.hosts,
    publicUrl,
  };
  const lease = await openRefreshLease(config, store, log, tokenCare);
  const tokenServices = createTokenServices({ ...parts, lease: lease.lease, onStep: tokenCare?.onStep });
  const { tokens, apps } = tokenServices;
  const usage = new PlatformUsage({ db: store.db, clock, log });
  const walks = await openWalks(config, clock, log);
  const runtime = createRuntime({ config, store, registry, clock, log, http, tokens, pacer, breakers, usage, walks });
  const connectionServices = createConnectionServices(parts, tokenServices, runtime);
  const tokenSweep = new TokenSweep({ store, registry, clock, log, tokens, probe: prober(runtime) });
  const trees = new AccountTrees(runtime);
  tokens.organizations.noticed = (connection) => trees.noticed(connection);
  const accounts = {
    trees,
    actions: new AccountActions(runtime, trees),
    picker: new AccountPicker({ store, signer, clock, registry, publicUrl }),
  };
  // Pages that operators name are opened under the rules for addresses that users give: this client trusts nobody.
  const outside = new HttpClient(new EgressPolicy({ allow: config.egressAllow, ports: config.egressPorts }));
  const launch = new LaunchService({
    ...{ config, store, registry, clock, apps, usage, publicUrl },
    vault: vault.admin,
    http: outside,
  });
  const cache = createStoreCache(store);
  const files = new ReportFiles(config.reports.directory);
  const { keepMs, cacheBytes } = config.reports;
  const reportJobs = new ReportJobs({ store, reports: runtime.reports, files, clock, keepMs, cacheBytes });
  const reportRunner = new ReportRunner({
    ...{ store, files, clock, log, keepMs, reports: runtime.reports },
    appOf: async (connection) => (await tokens.appFor(connection))?.client_id,
    used: (use) => audit.used(use),
  });
  const callLog = createCallLog({ db: store.db, engine: store.engine, log });
  const conversions = new Conversions({ ...parts, tokens, pipelineWith: runtime.pipelineWith });
  return {
    runtime,
    tokenSweep,
    creatorSweep: new CreatorSweep({ runtime, store, clock, log }),
    reportRunner,
    services: {
      ...{
        ...connectionServices,
        apps,
        cache,
        callLog,
        audit,
        signer,
        vault: vault.admin,
        reportJobs,
        reportRunner,
        launch,
        accounts,
        audiences: new Audiences(runtime),
        leads: new Leads(runtime),
        media: new MediaUploads(runtime),
        hooks: new Hooks({ store, registry, apps, clock }),
        publicUrl,
      },
      conversions,
      authentication: new Authentication({ cache, clock, log, failuresPerMinute: config.authFailuresPerMinute }),
    },
    async close() {
      await conversions.sender.stop();
      await trees.settle();
      await runtime.journal.close();
      await connectionServices.connect.settle();
      await connectionServices.connections.settle();
      await pacing.close();
      await walks.close();
      await callLog.close();
      await usage.close();
      await audit.close();
      await vault.close();
      await tokens.close();
      await lease.close();
      apps.close();
      cache.close();
      await http.close();
      await outside.close();
    },
  };
}
