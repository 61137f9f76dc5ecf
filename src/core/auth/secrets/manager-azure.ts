/** Azure Key Vault secrets. Facts: Key Vault REST reference; secret names: 1 to 127 letters, digits and `-`. */
import { PolyadError } from '../../errors/index.ts';
import { azureCredential, azureOptions, CALL_DEADLINE_MS } from './key-services.ts';
import type { SecretManager } from './manager.ts';
import { loadOptional } from './optional.ts';
import type { SecretSettings } from './settings.ts';

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode;

/**
 * The vault of POLYAD_AZURE_VAULT_URL, with the identity that `DefaultAzureCredential` finds.
 *
 * @throws PolyadError `package_missing`, `config_invalid`.
 */
export async function openAzureManager(settings: SecretSettings): Promise<SecretManager> {
  if (settings.azureVaultUrl === undefined)
    throw new PolyadError('config_invalid', {
      message: 'POLYAD_AZURE_VAULT_URL is not set, and secrets lie in Azure Key Vault.',
      details: { issues: [{ variable: 'POLYAD_AZURE_VAULT_URL', problem: 'is not set' }] },
    });
  const url = new URL(settings.azureVaultUrl);
  const { SecretClient } = await loadOptional(
    '@azure/keyvault-secrets',
    'Azure Key Vault',
    () => import('@azure/keyvault-secrets'),
  );
  const client = new SecretClient(url.origin, await azureCredential(), azureOptions(url));
  const options = () => ({ abortSignal: AbortSignal.timeout(CALL_DEADLINE_MS) });
  const set = async (name: string, text: string): Promise<string> => {
    const { properties } = await client.setSecret(name, text, {
      ...options(),
      contentType: 'application/json',
      tags: { 'managed-by': 'polyad' },
    });
    return properties.version as string;
  };
  return {
    store: 'azure',
    service: 'Azure Key Vault',
    separator: '-',
    create: set,
    add: set,
    async read(name, ref) {
      return (await client.getSecret(name, { ...options(), version: ref })).value ?? '';
    },
    async prune(name, keep, before) {
      // Single versions cannot be deleted; a disabled one cannot be read.
      for await (const { version, enabled, createdOn } of client.listPropertiesOfSecretVersions(name, options()))
        if (version !== undefined && version !== keep && enabled !== false && (createdOn ?? before) < before)
          await client.updateSecretProperties(name, version, { ...options(), enabled: false });
    },
    async remove(name) {
      try {
        // Where soft delete is on, deleting takes a moment, and only then can the secret be purged.
        const poller = await client.beginDeleteSecret(name, { ...options(), intervalInMs: 500 });
        await poller.pollUntilDone();
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
      }
      try {
        await client.purgeDeletedSecret(name, options());
      } catch (error) {
        // Not deleted softly at all; or kept by a vault with purge protection, which then destroys it in its own time.
        if (![400, 403, 404].includes(statusOf(error) ?? 0)) throw error;
      }
    },
    async *list(prefix) {
      for await (const { name, createdOn } of client.listPropertiesOfSecrets())
        if (name.startsWith(prefix)) yield { name, createdAt: createdOn ?? new Date(0) };
    },
    async close() {},
  };
}
