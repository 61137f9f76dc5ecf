/** Key management services: they wrap and unwrap a master key with a key of their own that never leaves them. */
import { PolyadError } from '../../errors/index.ts';
import type { WrappedKey } from '../../store/schema.ts';
import { bytesOf, ONCE, repeat, restOptions } from './google.ts';
import { loadOptional } from './optional.ts';
import type { SecretSettings } from './settings.ts';

/** One key of a service, and how to use it. */
export interface KeyService {
  /** For people: `AWS KMS`. */
  readonly name: string;
  /** Wraps a master key. `keyId` is authenticated where the service can (AWS, Google). */
  wrap(plain: Buffer, keyId: string): Promise<WrappedKey>;
  unwrap(wrapped: WrappedKey, keyId: string): Promise<Buffer>;
}

/** Most time a call may take, in ms, the client's own repetitions included. */
export const CALL_DEADLINE_MS = 10_000;

/** `http:` and a host that no certificate vouches for are for this machine alone. */
export const isLoopback = (url: URL): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);

const badAddress = (address: string, form: string): PolyadError => {
  const problem = `"${address}" is not an address of a key; write ${form}`;
  return new PolyadError('config_invalid', {
    message: `POLYAD_MASTER_KEY: ${problem}.`,
    details: { issues: [{ variable: 'POLYAD_MASTER_KEY', problem }] },
  });
};

/**
 * The service behind an address of POLYAD_MASTER_KEY. Nothing is asked yet.
 *
 * @throws PolyadError `config_invalid`, `package_missing`.
 */
export async function openKeyService(address: string, settings: SecretSettings): Promise<KeyService> {
  if (address.startsWith('awskms://')) return openAws(address, settings);
  if (address.startsWith('gcpkms://')) return openGcp(address, settings);
  if (address.startsWith('azurekeyvault://')) return openAzure(address);
  throw badAddress(address, 'awskms://…, gcpkms://… or azurekeyvault://…');
}

/**
 * `awskms:///<key id, ARN or alias/…>[?region=…]`. AES-256 with the id of the master key as encryption context (AWS KMS API
 * reference, Encrypt and Decrypt). Endpoint and credentials as the AWS client finds them.
 */
async function openAws(address: string, settings: SecretSettings): Promise<KeyService> {
  const match = /^awskms:\/\/\/([A-Za-z0-9:/_-]+)(?:\?region=([a-z0-9-]+))?$/.exec(address);
  if (match === null)
    throw badAddress(address, 'awskms:///alias/<name>, awskms:///<ARN> or awskms:///<id>?region=<region>');
  const KeyId = match[1] as string;
  const region = match[2] ?? /^arn:[^:]+:kms:([^:]+):/.exec(KeyId)?.[1] ?? settings.awsRegion;
  const { KMSClient, EncryptCommand, DecryptCommand } = await loadOptional(
    '@aws-sdk/client-kms',
    'AWS KMS',
    () => import('@aws-sdk/client-kms'),
  );
  const client = new KMSClient({ ...(region === undefined ? {} : { region }), maxAttempts: 3 });
  const context = (keyId: string) => ({ EncryptionContext: { polyad_master_key: keyId } });
  const deadline = () => ({ abortSignal: AbortSignal.timeout(CALL_DEADLINE_MS) });
  return {
    name: 'AWS KMS',
    async wrap(plain, keyId) {
      const answer = await client.send(new EncryptCommand({ KeyId, Plaintext: plain, ...context(keyId) }), deadline());
      return { by: address, text: Buffer.from(answer.CiphertextBlob as Uint8Array).toString('base64') };
    },
    async unwrap(wrapped, keyId) {
      const CiphertextBlob = Buffer.from(wrapped.text, 'base64');
      const answer = await client.send(new DecryptCommand({ KeyId, CiphertextBlob, ...context(keyId) }), deadline());
      return Buffer.from(answer.Plaintext as Uint8Array);
    },
  };
}

/**
 * `gcpkms://projects/<p>/locations/<l>/keyRings/<r>/cryptoKeys/<k>`. Symmetric key with the id of the master key as
 * additional authenticated data (Cloud KMS REST reference, cryptoKeys.encrypt and decrypt). Over REST, which passes every
 * proxy; credentials as Google's client finds them.
 */
async function openGcp(address: string, settings: SecretSettings): Promise<KeyService> {
  const name = /^gcpkms:\/\/(projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/?#]+)$/.exec(
    address,
  )?.[1];
  if (name === undefined)
    throw badAddress(address, 'gcpkms://projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>');
  const { KeyManagementServiceClient } = await loadOptional(
    '@google-cloud/kms',
    'Google Cloud KMS',
    () => import('@google-cloud/kms'),
  );
  const client = new KeyManagementServiceClient(restOptions(settings.gcpKmsUrl));
  const additional = (keyId: string) => ({ additionalAuthenticatedData: Buffer.from(`polyad master key ${keyId}`) });
  return {
    name: 'Google Cloud KMS',
    async wrap(plain, keyId) {
      const [answer] = await repeat(() => client.encrypt({ name, plaintext: plain, ...additional(keyId) }, ONCE));
      return { by: address, text: bytesOf(answer.ciphertext).toString('base64') };
    },
    async unwrap(wrapped, keyId) {
      const ciphertext = Buffer.from(wrapped.text, 'base64');
      const [answer] = await repeat(() => client.decrypt({ name, ciphertext, ...additional(keyId) }, ONCE));
      return bytesOf(answer.plaintext);
    },
  };
}

/**
 * `azurekeyvault://<vault host>/keys/<name>`. RSA-OAEP-256 (Key Vault REST reference, wrapKey and unwrapKey); the version
 * of the key that wrapped is kept beside, so that a rotation in the vault does no harm.
 */
async function openAzure(address: string): Promise<KeyService> {
  const match = /^azurekeyvault:\/\/([^/?#]+)\/keys\/([0-9A-Za-z-]+)$/.exec(address);
  if (match === null) throw badAddress(address, 'azurekeyvault://<vault>.vault.azure.net/keys/<name>');
  const vault = new URL(`https://${match[1]}`);
  const { CryptographyClient, KeyClient } = await loadOptional(
    '@azure/keyvault-keys',
    'Azure Key Vault',
    () => import('@azure/keyvault-keys'),
  );
  const credential = await azureCredential();
  const options = azureOptions(vault);
  const keys = new KeyClient(vault.origin, credential, options);
  const signal = () => ({ abortSignal: AbortSignal.timeout(CALL_DEADLINE_MS) });
  return {
    name: 'Azure Key Vault',
    async wrap(plain) {
      const key = await keys.getKey(match[2] as string, signal());
      const client = new CryptographyClient(key.id as string, credential, options);
      const { result } = await client.wrapKey('RSA-OAEP-256', plain, signal());
      return { by: address, text: Buffer.from(result).toString('base64'), version: key.id as string };
    },
    async unwrap(wrapped) {
      const id = new URL(wrapped.version ?? '');
      // The database names the version, never the vault: that stays with the configuration.
      if (id.host !== vault.host || !id.pathname.startsWith(`/keys/${match[2]}/`))
        throw badAddress(id.href, `the key that wrapped it, in ${vault.host}`);
      const client = new CryptographyClient(id.href, credential, options);
      const { result } = await client.unwrapKey('RSA-OAEP-256', Buffer.from(wrapped.text, 'base64'), signal());
      return Buffer.from(result);
    },
  };
}

/**
 * The identity that `DefaultAzureCredential` finds: environment, workload or managed identity.
 *
 * @throws PolyadError `package_missing`.
 */
export async function azureCredential() {
  const { AzureAuthorityHosts, DefaultAzureCredential } = await loadOptional(
    '@azure/identity',
    'Azure Key Vault',
    () => import('@azure/identity'),
  );
  // An authority that is not Microsoft's (Azure Stack) is not known to Microsoft's directory of authorities.
  const authority = process.env['AZURE_AUTHORITY_HOST'];
  const known = authority === undefined || (Object.values(AzureAuthorityHosts) as string[]).includes(authority);
  return new DefaultAzureCredential(known ? {} : { disableInstanceDiscovery: true });
}

/** Options of Azure's clients: few repetitions, since callers wait; no challenge of Azure's for a vault on this machine. */
export function azureOptions(vault: URL) {
  return {
    retryOptions: { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 },
    ...(isLoopback(vault) ? { disableChallengeResourceVerification: true } : {}),
  };
}
