import type { ManagedStore } from '../../store/schema.ts';

/** Where secrets are kept: in the database, encrypted (`vault`), or in a secret manager. */
export type SecretPlace = 'vault' | ManagedStore;

/** The part of the configuration that secrets need. Times are milliseconds. */
export interface SecretSettings {
  /** Where new secrets go. Those that lie elsewhere are read there until they are migrated. */
  place: SecretPlace;
  /** First part of the names of secrets in a manager: keeps installations that share an account apart. */
  prefix: string;
  /** How long a secret that was read from a manager is used before it is read again. */
  cacheMs: number;
  /** How long it is used at most while the manager does not answer. */
  outageMs: number;
  /** How long a master key is used at most while its key management service does not answer. */
  keyOutageMs: number;
  /** Region of AWS; absent: as the AWS client finds it (AWS_REGION, profile). */
  awsRegion?: string;
  /** `https://<name>.vault.azure.net` */
  azureVaultUrl?: string;
  gcpProject?: string;
  /** Other addresses of Google's services: private endpoints. */
  gcpSecretsUrl?: string;
  gcpKmsUrl?: string;
}

/** What holds where nothing is configured. */
export const DEFAULT_SECRET_SETTINGS: SecretSettings = {
  place: 'vault',
  prefix: 'polyad',
  cacheMs: 60_000,
  outageMs: 3_600_000,
  keyOutageMs: 12 * 3_600_000,
};
