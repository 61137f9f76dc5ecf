/** AWS Secrets Manager. Facts: AWS Secrets Manager API reference (2017-10-17). */
import { createHash } from 'node:crypto';
import { CALL_DEADLINE_MS } from './key-services.ts';
import type { SecretManager } from './manager.ts';
import { loadOptional } from './optional.ts';
import type { SecretSettings } from './settings.ts';

/** A staging label keeps a version from being dropped by the service; at most 20 stand on one version. */
const LABEL = 'polyad-';
const CURRENT = 'AWSCURRENT';

/**
 * Region, endpoint and credentials as the AWS client finds them, unless POLYAD_AWS_REGION is set.
 *
 * @throws PolyadError `package_missing`.
 */
export async function openAwsManager(settings: SecretSettings): Promise<SecretManager> {
  const aws = await loadOptional(
    '@aws-sdk/client-secrets-manager',
    'AWS Secrets Manager',
    () => import('@aws-sdk/client-secrets-manager'),
  );
  const client = new aws.SecretsManagerClient({
    ...(settings.awsRegion === undefined ? {} : { region: settings.awsRegion }),
    maxAttempts: 3,
  });
  const options = () => ({ abortSignal: AbortSignal.timeout(CALL_DEADLINE_MS) });
  return {
    store: 'aws',
    service: 'AWS Secrets Manager',
    separator: '/',
    async create(name, text) {
      const answer = await client.send(
        new aws.CreateSecretCommand({
          Name: name,
          SecretString: text,
          // Makes a repetition of the same request do nothing; becomes the version id.
          ClientRequestToken: tokenOf(name, text),
          Tags: [{ Key: 'managed-by', Value: 'polyad' }],
        }),
        options(),
      );
      return answer.VersionId as string;
    },
    async add(name, text, label) {
      const answer = await client.send(
        new aws.PutSecretValueCommand({
          SecretId: name,
          SecretString: text,
          ClientRequestToken: tokenOf(name, text),
          VersionStages: [CURRENT, `${LABEL}${label}`],
        }),
        options(),
      );
      return answer.VersionId as string;
    },
    async read(name, ref) {
      const answer = await client.send(new aws.GetSecretValueCommand({ SecretId: name, VersionId: ref }), options());
      return answer.SecretString ?? '';
    },
    async prune(name, keep, before) {
      // A version without labels is deprecated: it no longer counts and the service removes it.
      const pages = aws.paginateListSecretVersionIds({ client }, { SecretId: name, MaxResults: 100 });
      for await (const page of pages) {
        for (const { VersionId, VersionStages = [], CreatedDate } of page.Versions ?? []) {
          if (VersionId === keep || (CreatedDate !== undefined && CreatedDate >= before)) continue;
          for (const stage of VersionStages)
            if (stage.startsWith(LABEL))
              await client.send(
                new aws.UpdateSecretVersionStageCommand({
                  SecretId: name,
                  VersionStage: stage,
                  RemoveFromVersionId: VersionId,
                }),
                options(),
              );
        }
      }
    },
    async remove(name) {
      try {
        await client.send(new aws.DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }), options());
      } catch (error) {
        if (!(error instanceof aws.ResourceNotFoundException)) throw error;
      }
    },
    async *list(prefix) {
      const pages = aws.paginateListSecrets(
        { client },
        { Filters: [{ Key: 'name', Values: [prefix] }], MaxResults: 100 },
      );
      for await (const page of pages)
        for (const { Name, CreatedDate } of page.SecretList ?? [])
          if (Name?.startsWith(prefix) === true) yield { name: Name, createdAt: CreatedDate ?? new Date(0) };
    },
    async close() {
      client.destroy();
    },
  };
}

/** 32 to 64 characters. The text is salted, so the token says nothing of the secret. */
const tokenOf = (name: string, text: string): string =>
  createHash('sha256').update(name).update('\0').update(text).digest('hex').slice(0, 64);
