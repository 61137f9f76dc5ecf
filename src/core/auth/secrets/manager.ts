import type { ManagedStore } from '../../store/schema.ts';
import type { SecretSettings } from './settings.ts';

/**
 * A secret manager as polyad uses it: named secrets with versions that never change. Implementations are thin over the
 * official client; they throw whatever it throws, and `failures.ts` reads that.
 */
export interface SecretManager {
  readonly store: ManagedStore;
  /** For people: `AWS Secrets Manager`. */
  readonly service: string;
  /** Characters of a name: letters, digits and `-` go everywhere; this joins the parts. */
  readonly separator: '/' | '-';
  /** A new secret with its first version; answers that version. Repeating it with the same name does no harm. */
  create(name: string, text: string): Promise<string>;
  /** A further version; answers it. `label` is unique per version and readable by people. */
  add(name: string, text: string, label: string): Promise<string>;
  /** What version `ref` holds. */
  read(name: string, ref: string): Promise<string>;
  /** Makes versions other than `keep` that were made before `before` unreadable, as far as the service can. */
  prune(name: string, keep: string, before: Date): Promise<void>;
  /** Destroys the secret with all versions. One that is not there is done. */
  remove(name: string): Promise<void>;
  /** Names that begin with `prefix`, with the time they were made. */
  list(prefix: string): AsyncIterable<{ name: string; createdAt: Date }>;
  /** Releases sockets. */
  close(): Promise<void>;
}

/**
 * The manager of a store, with its client loaded.
 *
 * @throws PolyadError `package_missing`, `config_invalid` (a variable that it needs is not set).
 */
export async function openManager(store: ManagedStore, settings: SecretSettings): Promise<SecretManager> {
  switch (store) {
    case 'aws':
      return (await import('./manager-aws.ts')).openAwsManager(settings);
    case 'azure':
      return (await import('./manager-azure.ts')).openAzureManager(settings);
    case 'gcp':
      return (await import('./manager-gcp.ts')).openGcpManager(settings);
  }
}
