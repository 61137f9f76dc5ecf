/**
 * AWS Secrets Manager and AWS KMS as the official client meets them: JSON 1.1 protocol, Signature Version 4 (checked in
 * full), versions, staging labels, and the services' own errors. Facts: the two API references, "Signature Version 4".
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  randomUUID,
  timingSafeEqual,
} from 'node:crypto';
import { type CloudAnswer, type CloudRequest, type CloudService, Refusal, startCloudService } from './cloud-service.ts';

export const AWS_KEY = { id: 'AKIAPOLYADTEST000001', secret: 'polyad-test-secret-access-key-0123456789' };
export const AWS_REGION = 'eu-west-1';

interface Version {
  text: string;
  stages: Set<string>;
  createdAt: number;
}

interface Secret {
  createdAt: number;
  versions: Map<string, Version>;
}

export interface AwsServices extends CloudService {
  readonly secrets: Map<string, Secret>;
  /** KMS: false = the key is switched off. */
  keyEnabled: boolean;
  /** What the client needs to find this service. */
  readonly env: Record<string, string>;
}

const error = (type: string, message: string, status = 400): Refusal =>
  new Refusal({ status, body: { __type: type, Message: message, message }, headers: { 'x-amzn-errortype': type } });

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Throws unless the request carries a correct signature. */
function checkSignature({ method, url, headers, body }: CloudRequest, key: typeof AWS_KEY): string {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (given === null) throw error('MissingAuthenticationTokenException', 'Missing Authentication Token');
  const [, id, date, region, service, signed, signature] = given as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (id !== key.id)
    throw error('UnrecognizedClientException', 'The security token included in the request is invalid.');
  const time = String(headers['x-amz-date']);
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(Date.now() - at) < 300_000) || !time.startsWith(date) || region !== AWS_REGION)
    throw error('InvalidSignatureException', 'Signature expired or of another scope');
  const names = signed.split(';');
  for (const needed of ['host', 'x-amz-date', 'x-amz-target'])
    if (!names.includes(needed)) throw error('InvalidSignatureException', `${needed} is not signed`);
  const canonical = [
    method,
    url.pathname,
    '',
    ...names.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    signed,
    sha256(body),
  ].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const secret = [region, service, 'aws4_request'].reduce<Buffer>(
    (derived, part) => hmac(derived, part),
    hmac(`AWS4${key.secret}`, date),
  );
  const right = hmac(secret, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n'));
  if (!timingSafeEqual(right, Buffer.from(signature, 'hex')))
    throw error(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided.',
    );
  return service;
}

export async function startAwsServices(options: { port?: number } = {}): Promise<AwsServices> {
  const secrets = new Map<string, Secret>();
  const master = randomBytes(32);

  const find = (name: unknown): Secret => {
    const secret = secrets.get(String(name));
    if (secret === undefined)
      throw error('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return secret;
  };
  /** Puts labels on one version and takes them from the others, as the service does. */
  const label = (secret: Secret, id: string, stages: readonly string[]): void => {
    for (const stage of stages)
      for (const [other, version] of secret.versions) {
        if (other === id || !version.stages.delete(stage) || stage !== 'AWSCURRENT') continue;
        for (const each of secret.versions.values()) each.stages.delete('AWSPREVIOUS');
        version.stages.add('AWSPREVIOUS');
      }
    for (const stage of stages) (secret.versions.get(id) as Version).stages.add(stage);
  };
  const write = (secret: Secret, input: Record<string, unknown>, stages: readonly string[]): string => {
    const id = String(input['ClientRequestToken'] ?? randomUUID());
    if (id.length < 32 || id.length > 64) throw error('ValidationException', 'ClientRequestToken');
    const text = String(input['SecretString']);
    if (Buffer.byteLength(text) > 65_536) throw error('InvalidParameterException', 'SecretString is too long');
    const present = secret.versions.get(id);
    if (present !== undefined && present.text !== text)
      throw error('ResourceExistsException', 'A version with that token and another value exists.');
    if (present === undefined) {
      if (secret.versions.size >= 100) {
        // Versions of the last day are never dropped.
        const day = Date.now() - 24 * 3_600_000;
        const spare = [...secret.versions].find(([, one]) => one.stages.size === 0 && one.createdAt < day)?.[0];
        if (spare === undefined) throw error('LimitExceededException', 'too many versions');
        secret.versions.delete(spare);
      }
      secret.versions.set(id, { text, stages: new Set(), createdAt: Date.now() });
    }
    label(secret, id, stages);
    return id;
  };

  const manager: Record<string, (input: Record<string, unknown>) => unknown> = {
    CreateSecret(input) {
      const name = String(input['Name']);
      if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name)) throw error('ValidationException', 'Name');
      const present = secrets.get(name);
      if (present !== undefined && !present.versions.has(String(input['ClientRequestToken'])))
        throw error('ResourceExistsException', 'The operation failed because the secret already exists.');
      const secret = present ?? { createdAt: Date.now(), versions: new Map<string, Version>() };
      const VersionId = write(secret, input, ['AWSCURRENT']);
      secrets.set(name, secret);
      return { ARN: `arn:${name}`, Name: name, VersionId };
    },
    PutSecretValue(input) {
      const secret = find(input['SecretId']);
      const stages = (input['VersionStages'] as string[] | undefined) ?? ['AWSCURRENT'];
      return { Name: input['SecretId'], VersionId: write(secret, input, stages), VersionStages: stages };
    },
    GetSecretValue(input) {
      const secret = find(input['SecretId']);
      const id =
        input['VersionId'] ?? [...secret.versions].find(([, version]) => version.stages.has('AWSCURRENT'))?.[0];
      const version = secret.versions.get(String(id));
      if (version === undefined)
        throw error(
          'ResourceNotFoundException',
          `Secrets Manager can't find the specified secret value for VersionId: ${id}`,
        );
      return { Name: input['SecretId'], VersionId: id, SecretString: version.text, VersionStages: [...version.stages] };
    },
    DeleteSecret(input) {
      find(input['SecretId']);
      if (input['ForceDeleteWithoutRecovery'] !== true) throw error('InvalidParameterException', 'tests want it gone');
      secrets.delete(String(input['SecretId']));
      return { Name: input['SecretId'] };
    },
    ListSecrets(input) {
      const [prefix] = ((input['Filters'] as { Values: string[] }[] | undefined)?.[0]?.Values ?? ['']) as string[];
      const names = [...secrets.keys()].filter((name) => name.startsWith(prefix ?? '')).sort();
      const from = Number(input['NextToken'] ?? 0);
      const page = names.slice(from, from + 10);
      return {
        SecretList: page.map((Name) => ({ Name, CreatedDate: (secrets.get(Name) as Secret).createdAt / 1000 })),
        ...(from + 10 < names.length ? { NextToken: String(from + 10) } : {}),
      };
    },
    ListSecretVersionIds(input) {
      // Deprecated versions are left out unless asked for.
      const versions = [...find(input['SecretId']).versions].filter(([, { stages }]) => stages.size > 0);
      return {
        Name: input['SecretId'],
        Versions: versions.map(([VersionId, version]) => ({
          VersionId,
          VersionStages: [...version.stages],
          CreatedDate: version.createdAt / 1000,
        })),
      };
    },
    UpdateSecretVersionStage(input) {
      const secret = find(input['SecretId']);
      secret.versions.get(String(input['RemoveFromVersionId']))?.stages.delete(String(input['VersionStage']));
      return { Name: input['SecretId'] };
    },
  };

  const kms: Record<string, (input: Record<string, unknown>) => unknown> = {
    Encrypt(input) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', master, nonce).setAAD(contextOf(input));
      const plain = Buffer.from(String(input['Plaintext']), 'base64');
      const blob = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return { CiphertextBlob: blob.toString('base64'), KeyId: input['KeyId'] };
    },
    Decrypt(input) {
      const blob = Buffer.from(String(input['CiphertextBlob']), 'base64');
      try {
        const decipher = createDecipheriv('aes-256-gcm', master, blob.subarray(0, 12), { authTagLength: 16 })
          .setAAD(contextOf(input))
          .setAuthTag(blob.subarray(-16));
        const plain = Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]);
        return { Plaintext: plain.toString('base64'), KeyId: input['KeyId'] };
      } catch {
        throw error('InvalidCiphertextException', '');
      }
    },
  };
  const contextOf = (input: Record<string, unknown>): Buffer =>
    Buffer.from(JSON.stringify([input['KeyId'], input['EncryptionContext'] ?? {}]));

  const handle = (request: CloudRequest, base: CloudService): CloudAnswer => {
    let service: string;
    try {
      service = checkSignature(request, AWS_KEY);
    } catch (refusal) {
      base.refused += 1;
      throw refusal;
    }
    const [target, operation] = String(request.headers['x-amz-target']).split('.') as [string, string];
    if (
      (target === 'secretsmanager') !== (service === 'secretsmanager') ||
      (target === 'TrentService') !== (service === 'kms')
    )
      throw error('InvalidSignatureException', 'signed for another service');
    const work = (service === 'kms' ? kms : manager)[operation];
    if (work === undefined) throw error('UnknownOperationException', operation);
    if (service === 'kms' && !aws.keyEnabled) throw error('DisabledException', 'The key is disabled.');
    const input = JSON.parse(request.body.toString('utf8')) as Record<string, unknown>;
    base.log.push(`${operation} ${String(input['SecretId'] ?? input['Name'] ?? input['KeyId'] ?? '')}`);
    return { status: 200, body: work(input), headers: { 'content-type': 'application/x-amz-json-1.1' } };
  };
  const base = await startCloudService({
    ...options,
    handle,
    words: (fault) =>
      ({
        throttled: error('ThrottlingException', 'Rate exceeded').answer,
        denied: error('AccessDeniedException', 'User is not authorized to perform this operation').answer,
        failing: error('InternalServiceError', 'An error occurred on the server side.', 500).answer,
      })[fault],
  });
  const aws: AwsServices = Object.assign(base, {
    secrets,
    keyEnabled: true,
    env: {
      AWS_ENDPOINT_URL: base.url,
      AWS_ACCESS_KEY_ID: AWS_KEY.id,
      AWS_SECRET_ACCESS_KEY: AWS_KEY.secret,
      AWS_REGION,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
  return aws;
}
