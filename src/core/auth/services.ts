/** Puts token care and everything about connections together; the runtime lies between the two halves. */
import type { CredentialUse } from '../audit/uses.ts';
import type { Scope } from '../calls/scope.ts';
import { Connections } from '../connections/connections.ts';
import { environmentsOf, type HostOverrides, hostsFor } from '../connector/hosts.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { CallContext, Environment, Platform } from '../connector/types.ts';
import { AppCredentialsService } from '../integrations/app-credentials.ts';
import { Integrations } from '../integrations/integrations.ts';
import type { Store, StoreLog } from '../store/port.ts';
import { Admission } from './admission.ts';
import { ConnectFlow, type CustomerAct } from './connect.ts';
import type { RefreshLease } from './life/lease.ts';
import type { StepHook } from './life/steps.ts';
import { Reconnect } from './reconnect.ts';
import type { SecretStore } from './secret-store.ts';
import type { Signer } from './signing.ts';
import type { TokenCallTools } from './token-calls.ts';
import { Tokens } from './tokens.ts';

export interface TokenServicesParts extends TokenCallTools {
  store: Store;
  secrets: SecretStore;
  registry: PlatformRegistry;
  log: StoreLog;
  signer: Signer;
  hosts: HostOverrides;
  /** Address under which browsers reach this server, without a slash at its end. Known once it listens. */
  publicUrl(): string;
  /** One renewal at a time over all nodes; default: a row of the store. */
  lease?: RefreshLease | undefined;
  /** Called at each step of a renewal: fault injection. */
  onStep?: StepHook | undefined;
  /** Told of each use of a customer's credential. */
  used?: ((use: CredentialUse) => void) | undefined;
  /** Told of each connection that a customer authorised. */
  acted?: ((act: CustomerAct) => Promise<void>) | undefined;
}

/** What the runtime is made with. */
export interface TokenServices {
  tokens: Tokens;
  apps: AppCredentialsService;
  reconnect: Reconnect;
}

/** What everything takes that calls token endpoints. */
function careParts(parts: TokenServicesParts) {
  const { store, secrets, registry, http, pacer, breakers, clock, log, used } = parts;
  const hosts = (platform: Platform, environment: Environment) => hostsFor(platform, environment, parts.hosts);
  return { store, secrets, registry, http, pacer, breakers, clock, log, used, hosts };
}

export function createTokenServices(parts: TokenServicesParts): TokenServices {
  const { store, secrets, clock, signer, publicUrl } = parts;
  const apps = new AppCredentialsService({ store, secrets, clock });
  const reconnect = new Reconnect({ signer, clock, publicUrl });
  const tokens = new Tokens({
    ...careParts(parts),
    appCredentials: (workspaceId, type, environment) => apps.get(workspaceId, type, environment),
    reconnectUrl: (connection) => reconnect.url(connection),
    lease: parts.lease,
    onStep: parts.onStep,
  });
  return { tokens, apps, reconnect };
}

/** What routes call. */
export interface ConnectionServices {
  connect: ConnectFlow;
  connections: Connections;
  integrations: Integrations;
}

export function createConnectionServices(
  parts: TokenServicesParts,
  { tokens, apps, reconnect }: TokenServices,
  runtime: { context(scope: Scope): CallContext },
): ConnectionServices {
  const { store, secrets, registry, clock, signer, publicUrl, used } = parts;
  const care = careParts(parts);
  const admission = new Admission({ store, secrets, clock, tokens, context: (scope) => runtime.context(scope), used });
  return {
    connect: new ConnectFlow({ ...care, signer, reconnect, admission, apps, publicUrl, acted: parts.acted }),
    connections: new Connections({ ...care, tokens, admission, reconnect }),
    integrations: new Integrations({
      store,
      registry,
      environments: (platform) => environmentsOf(platform, parts.hosts),
    }),
  };
}
