/**
 * Google Secret Manager and Cloud KMS over REST. Requests carry a service account's token: a JWT that the client signed
 * itself, or one that the token endpoint gave for such a JWT; the signature is checked against the account's public key.
 * Facts: Secret Manager and Cloud KMS REST references v1; "Using OAuth 2.0 for server to server applications".
 */
import { createCipheriv, createDecipheriv, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { type CloudAnswer, type CloudRequest, type CloudService, Refusal, startCloudService } from './cloud-service.ts';

export const GCP_PROJECT = 'polyad-test';
const EMAIL = 'polyad@polyad-test.iam.gserviceaccount.com';

interface Version {
  data: string;
  state: 'ENABLED' | 'DESTROYED';
  createdAt: Date;
}

interface Secret {
  createdAt: Date;
  versions: Version[];
}

export interface GcpServices extends CloudService {
  readonly secrets: Map<string, Secret>;
  keyEnabled: boolean;
  readonly env: Record<string, string>;
}

const error = (status: number, name: string, message: string): Refusal =>
  new Refusal({ status, body: { error: { code: status, message, status: name } } });

/** @param credentialsFile where the service account's key file is put. */
export async function startGcpServices(credentialsFile: string, options: { port?: number } = {}): Promise<GcpServices> {
  const secrets = new Map<string, Secret>();
  const master = randomBytes(32);
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });

  const authorize = ({ headers }: CloudRequest, service: string): void => {
    const refuse = (why: string): never => {
      base.refused += 1;
      throw error(401, 'UNAUTHENTICATED', `Request had invalid authentication credentials: ${why}`);
    };
    const [head, claims, signature] = (/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '').split('.') as [
      string,
      string,
      string,
    ];
    if (signature === undefined) refuse('no token');
    const good = verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url'));
    if (!good) refuse('signature');
    const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { alg: string };
    const { iss, sub, exp, aud, scope } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<
      string,
      unknown
    >;
    if (alg !== 'RS256' || iss !== EMAIL || sub !== EMAIL) refuse('issuer');
    if (!(Number(exp) * 1000 > Date.now())) refuse('expired');
    const fits =
      (typeof aud === 'string' && aud === `https://${service}.googleapis.com/`) ||
      (typeof scope === 'string' && scope.split(' ').includes('https://www.googleapis.com/auth/cloud-platform'));
    if (!fits) refuse('audience');
  };

  const name = (id: string): string => `projects/${GCP_PROJECT}/secrets/${id}`;
  const find = (id: string): Secret => {
    const secret = secrets.get(id);
    if (secret === undefined) throw error(404, 'NOT_FOUND', `Secret [${name(id)}] not found.`);
    return secret;
  };
  const describe = (id: string, secret: Secret) => ({
    name: name(id),
    createTime: secret.createdAt.toISOString(),
    replication: { automatic: {} },
  });
  const versionOf = (id: string, number: number, version: Version) => ({
    name: `${name(id)}/versions/${number}`,
    createTime: version.createdAt.toISOString(),
    state: version.state,
  });

  const manager = (method: string, url: URL, input: Record<string, unknown>): unknown => {
    const match = /^\/v1\/projects\/polyad-test\/secrets(?:\/([^/:]+))?(?:\/versions(?:\/(\w+))?)?(?::(\w+))?$/.exec(
      url.pathname,
    );
    if (match === null) throw error(404, 'NOT_FOUND', url.pathname);
    const [, id, number, verb] = match;
    const inVersions = url.pathname.includes('/versions');
    if (id === undefined && method === 'POST') {
      const made = url.searchParams.get('secretId') ?? '';
      if (!/^[A-Za-z0-9_-]{1,255}$/.test(made)) throw error(400, 'INVALID_ARGUMENT', 'secretId');
      if (secrets.has(made)) throw error(409, 'ALREADY_EXISTS', `Secret [${name(made)}] already exists.`);
      secrets.set(made, { createdAt: new Date(), versions: [] });
      return describe(made, find(made));
    }
    if (id === undefined) {
      const all = [...secrets].sort(([left], [right]) => (left < right ? -1 : 1));
      const from = Number(url.searchParams.get('pageToken') || 0);
      return {
        secrets: all.slice(from, from + 5).map(([each, secret]) => describe(each, secret)),
        ...(from + 5 < all.length ? { nextPageToken: String(from + 5) } : {}),
      };
    }
    const secret = find(id);
    if (verb === 'addVersion') {
      secret.versions.push({
        data: (input['payload'] as { data: string }).data,
        state: 'ENABLED',
        createdAt: new Date(),
      });
      return versionOf(id, secret.versions.length, secret.versions.at(-1) as Version);
    }
    if (number !== undefined) {
      const version = secret.versions[Number(number) - 1];
      if (version === undefined)
        throw error(404, 'NOT_FOUND', `Secret Version [${name(id)}/versions/${number}] not found.`);
      if (verb === 'access') {
        if (version.state !== 'ENABLED')
          throw error(
            400,
            'FAILED_PRECONDITION',
            `Secret Version [${name(id)}/versions/${number}] is in DESTROYED state.`,
          );
        return { name: `${name(id)}/versions/${number}`, payload: { data: version.data } };
      }
      if (verb === 'destroy') Object.assign(version, { state: 'DESTROYED', data: '' });
      return versionOf(id, Number(number), version);
    }
    if (inVersions)
      return { versions: secret.versions.map((version, index) => versionOf(id, index + 1, version)).reverse() };
    if (method === 'DELETE') {
      secrets.delete(id);
      return {};
    }
    return describe(id, secret);
  };

  const kms = (url: URL, input: Record<string, unknown>): unknown => {
    const match = /^\/v1\/(projects\/[^:]+\/cryptoKeys\/[^:/]+):(encrypt|decrypt)$/.exec(url.pathname);
    if (match === null) throw error(404, 'NOT_FOUND', url.pathname);
    if (!gcp.keyEnabled)
      throw error(400, 'FAILED_PRECONDITION', 'The key version is not enabled, current state is: DISABLED.');
    const aad = Buffer.from(`${match[1]}|${String(input['additionalAuthenticatedData'] ?? '')}`);
    if (match[2] === 'encrypt') {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', master, nonce).setAAD(aad);
      const plain = Buffer.from(String(input['plaintext']), 'base64');
      const ciphertext = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return { name: `${match[1]}/cryptoKeyVersions/1`, ciphertext: ciphertext.toString('base64') };
    }
    const blob = Buffer.from(String(input['ciphertext']), 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', master, blob.subarray(0, 12), { authTagLength: 16 })
        .setAAD(aad)
        .setAuthTag(blob.subarray(-16));
      return {
        plaintext: Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]).toString('base64'),
      };
    } catch {
      throw error(400, 'INVALID_ARGUMENT', 'Decryption failed: verify that name refers to the correct CryptoKey.');
    }
  };

  const handle = (request: CloudRequest): CloudAnswer => {
    const { url, method } = request;
    const isKms = url.pathname.includes('/cryptoKeys/');
    authorize(request, isKms ? 'cloudkms' : 'secretmanager');
    const input =
      request.body.length === 0 ? {} : (JSON.parse(request.body.toString('utf8')) as Record<string, unknown>);
    base.log.push(`${method} ${url.pathname}`);
    return { status: 200, body: isKms ? kms(url, input) : manager(method, url, input) };
  };
  const base = await startCloudService({
    ...options,
    handle,
    words: (fault) =>
      ({
        throttled: error(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for quota metric.').answer,
        denied: error(403, 'PERMISSION_DENIED', "Permission 'secretmanager.versions.access' denied.").answer,
        failing: error(503, 'UNAVAILABLE', 'The service is currently unavailable.').answer,
      })[fault],
  });
  writeFileSync(
    credentialsFile,
    JSON.stringify({
      type: 'service_account',
      project_id: GCP_PROJECT,
      private_key_id: 'k1',
      private_key: privateKey,
      client_email: EMAIL,
      client_id: '1',
      token_uri: `${base.url}/token`,
    }),
    { mode: 0o600 },
  );
  const gcp: GcpServices = Object.assign(base, {
    secrets,
    keyEnabled: true,
    env: {
      GOOGLE_APPLICATION_CREDENTIALS: credentialsFile,
      POLYAD_GCP_PROJECT: GCP_PROJECT,
      POLYAD_GCP_SECRETS_URL: base.url,
      POLYAD_GCP_KMS_URL: base.url,
    },
  });
  return gcp;
}
