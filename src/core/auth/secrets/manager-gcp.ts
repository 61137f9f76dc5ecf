/** Google Secret Manager. Facts: Secret Manager REST reference v1; ids: 1 to 255 letters, digits, `-` and `_`. */
import { PolyadError } from '../../errors/index.ts';
import { readFailure } from './failures.ts';
import { bytesOf, restOptions } from './key-services.ts';
import type { SecretManager } from './manager.ts';
import { loadOptional } from './optional.ts';
import type { SecretSettings } from './settings.ts';

/** Longest wait for one request, and the pauses between repetitions, in ms. The client's own repeat for a minute. */
const TIMEOUT_MS = 3_000;
const PAUSES = [200, 800];

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
  const once = { timeout: TIMEOUT_MS, retry: null };
  const add = async (name: string, text: string): Promise<string> => {
    const data = Buffer.from(text, 'utf8');
    const [version] = await repeat(() => client.addSecretVersion({ parent: path(name), payload: { data } }, once));
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
            once,
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
      const [answer] = await repeat(() => client.accessSecretVersion({ name: `${path(name)}/versions/${ref}` }, once));
      return bytesOf(answer.payload?.data).toString('utf8');
    },
    async prune(name, keep, before) {
      const versions = client.listSecretVersionsAsync({ parent: path(name) }, { autoPaginate: false });
      for await (const { name: full, createTime, state } of versions) {
        const made = new Date(Number(createTime?.seconds ?? 0) * 1000);
        if (full == null || full.endsWith(`/versions/${keep}`) || made >= before || state === 'DESTROYED') continue;
        await repeat(() => client.destroySecretVersion({ name: full }, once));
      }
    },
    async remove(name) {
      try {
        await repeat(() => client.deleteSecret({ name: path(name) }, once));
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

/** Repeats a call that failed by an outage or a limit. */
async function repeat<T>(call: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await call();
    } catch (error) {
      if (!['unavailable', 'throttled'].includes(readFailure(error).kind)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return call();
}
