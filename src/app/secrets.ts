/** Puts the vault together: master keys, secret managers, the store of secrets, and who looks after them. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type Keyring, openKeyring } from '../core/auth/keyring.ts';
import { type SecretAlarm, SecretStore } from '../core/auth/secret-store.ts';
import { VaultAdmin } from '../core/auth/secrets/admin.ts';
import { SecretPlaces } from '../core/auth/secrets/places.ts';
import { ServiceKeys } from '../core/auth/secrets/service-keys.ts';
import { Vault } from '../core/auth/vault.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import type { Store, StoreLog } from '../core/store/port.ts';
import { appendEvent } from '../core/store/repositories/index.ts';

export interface VaultParts {
  keyring: Keyring;
  secrets: SecretStore;
  admin: VaultAdmin;
  /** Stops jobs and closes clients of managers. */
  close(): Promise<void>;
}

/** The same alarm of the same secret is repeated at most this often, in ms. */
const ALARM_EVERY_MS = 5 * 60_000;

/**
 * Opens the master keys and the place of secrets.
 *
 * @param options.server this process serves requests: it registers among the nodes, asks the secret manager at once whether
 *   it lets it in, and looks after keys and managers.
 * @throws PolyadError as `openKeyring`; `secret_store_denied`, `package_missing`, `config_invalid`.
 */
export async function openVault(
  { config, store, clock, log }: { config: Config; store: Store; clock: Clock; log: StoreLog },
  options: { server: boolean },
): Promise<VaultParts> {
  // Leases, heartbeats and caches are about this machine's time, not about a time that a test makes up.
  const real = systemClock;
  const serviceKeys = new ServiceKeys(config.secrets, { clock: real, log });
  const node = options.server ? `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}` : undefined;
  const keyring = await openKeyring({
    masterKey: config.masterKey,
    dataDir: config.dataDir,
    store,
    openServiceKey: (db, key) => serviceKeys.open(db, key),
    node,
  });
  const vault = new Vault(keyring);
  const places = new SecretPlaces(config.secrets, { clock: real, log });
  const secrets = new SecretStore(vault, {
    place: config.secrets.place,
    managed: (where) => places.get(where),
    alarm: alarmOf({ store, clock, log }),
  });
  const admin = new VaultAdmin({
    store,
    vault,
    secrets,
    serviceKeys,
    clock: real,
    log,
    dataDir: config.dataDir,
    configured: config.masterKey !== undefined,
    node,
  });
  const close = async (): Promise<void> => {
    await admin.close();
    await places.close();
  };
  if (options.server) {
    try {
      await places.check();
    } catch (error) {
      await close();
      throw error;
    }
    admin.keep();
  }
  return { keyring, secrets, admin, close };
}

/** Alarms as log lines and as events of the workspace, each once in a while. */
export function alarmOf({ store, clock, log }: { store: Store; clock: Clock; log: StoreLog }) {
  const rung = new Map<string, number>();
  return ({ alarm, owner, kind, version, error }: SecretAlarm): void => {
    const facts = { owner_kind: owner.kind, owner_id: owner.id, secret: kind, version, code: error.code };
    const key = `${alarm} ${owner.kind} ${owner.id} ${kind} ${alarm === 'tampered' ? version : ''}`;
    const now = clock.now();
    if (now.getTime() - (rung.get(key) ?? Number.NEGATIVE_INFINITY) < ALARM_EVERY_MS) return;
    if (rung.size >= 10_000) rung.clear();
    rung.set(key, now.getTime());
    log.error(
      { workspace_id: owner.workspaceId, ...facts, alarm: 'vault' },
      alarm === 'tampered'
        ? 'a stored secret was moved or changed; it was not used'
        : `a secret waits in the database: ${error.message}`,
    );
    // Not within the caller's transaction, which the same failure may undo.
    void appendEvent(
      store.db,
      owner.workspaceId,
      {
        type: alarm === 'tampered' ? 'vault.secret_tampered' : 'vault.secret_kept_here',
        connection_id: owner.kind === 'connection' ? owner.id : null,
        payload: facts,
      },
      now,
    ).catch((cause: unknown) => log.warn({ err: cause }, 'a vault alarm could not be recorded as an event'));
  };
}
