/** Google Secret Manager. Facts: Secret Manager REST reference v1; ids: 1 to 255 letters, digits, `-` and `_`. */
import { PolyadError } from '../../errors/index.ts';
import { readFailure } from './failures.ts';
import { bytesOf, ONCE, repeat, restOptions } from './google.ts';
import type { SecretManager } from './manager.ts';
import { loadOptional } from './optional.ts';
import type { SecretSettings } from './settings.ts';

/**
 * The project of POLYAD_GCP_PROJECT, over REST, with the credentials that Google's client finds
 * (GOOGLE_APPLICATION_CREDENTIALS, workload identity, metadata server).
 *
 * @throws PolyadError `package_missing`, `config_invalid`.
 */
export async function openGcpManager(settings: SecretSettings): Promise<SecretManager> {
  const { gcpProject } = settings;
  if (gcpProject === undefined)
    throw new PolyadError('config_invalid', {
      message: 'POLYAD_GCP_PROJECT is not set, and secrets lie in Google Secret Manager.',
      details: { issues: [{ variable: 'POLYAD_GCP_PROJECT', problem: 'is not set' }] },
    });
  const { SecretManagerServiceClient } = await loadOptional(
    '@google-cloud/secret-manager',
    'Google Secret Manager',
    () => import('@google-cloud/secret-manager'),
  );
  const client = new SecretManagerServiceClient(restOptions(settings.gcpSecretsUrl));
  const parent = `projects/${gcpProject}`;
  const path = (name: string): string => `${parent}/secrets/${name}`;
  const add = async (name: string, text: string): Promise<string> => {
    const data = Buffer.from(text, 'utf8');
    const [version] = await repeat(() => client.addSecretVersion({ parent: path(name), payload: { data } }, ONCE));
    return (version.name as string).split('/').at(-1) as string;
  };
  return {
    store: 'gcp',
    service: 'Google Secret Manager',
    separator: '-',
    async create(name, text) {
      try {
        await repeat(() =>
          client.createSecret(
            {
              parent,
              secretId: name,
              secret: { replication: { automatic: {} }, labels: { 'managed-by': 'polyad' } },
            },
            ONCE,
          ),
        );
      } catch (error) {
        // Names are random: one that exists was made by an earlier try whose answer was lost.
        if (readFailure(error).kind !== 'exists') throw error;
      }
      return add(name, text);
    },
    add,
    async read(name, ref) {
      const [answer] = await repeat(() => client.accessSecretVersion({ name: `${path(name)}/versions/${ref}` }, ONCE));
      return bytesOf(answer.payload?.data).toString('utf8');
    },
    async prune(name, keep, before) {
      const versions = client.listSecretVersionsAsync({ parent: path(name) }, { autoPaginate: false });
      for await (const { name: full, createTime, state } of versions) {
        const made = new Date(Number(createTime?.seconds ?? 0) * 1000);
        if (full == null || full.endsWith(`/versions/${keep}`) || made >= before || state === 'DESTROYED') continue;
        await repeat(() => client.destroySecretVersion({ name: full }, ONCE));
      }
    },
    async remove(name) {
      try {
        await repeat(() => client.deleteSecret({ name: path(name) }, ONCE));
      } catch (error) {
        if (readFailure(error).kind !== 'missing') throw error;
      }
    },
    async *list(prefix) {
      for await (const { name, createTime } of client.listSecretsAsync(
        { parent, filter: `name:${prefix}` },
        { autoPaginate: false },
      )) {
        const short = (name ?? '').split('/').at(-1) as string;
        if (short.startsWith(prefix))
          yield { name: short, createdAt: new Date(Number(createTime?.seconds ?? 0) * 1000) };
      }
    },
    async close() {
      await client.close();
    },
  };
}
