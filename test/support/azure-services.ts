/**
 * Azure Key Vault (secrets and keys) with the part of Microsoft Entra ID that gives out its tokens, over TLS. The vault
 * answers requests without a token by its challenge; tokens are those that the token endpoint gave out, for the vault's
 * resource, until they expire. Facts: Key Vault REST reference, "Authentication, requests and responses"; OAuth 2.0 client
 * credentials flow of Entra ID.
 */
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt, randomBytes, randomUUID } from 'node:crypto';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from './azure-certificate-table.ts';
import { type CloudAnswer, type CloudRequest, type CloudService, Refusal, startCloudService } from './cloud-service.ts';

export const AZURE_APP = {
  tenant: '11111111-2222-3333-4444-555555555555',
  client: '66666666-7777-8888-9999-000000000000',
  secret: 'polyad-test-client-secret',
};

interface Version {
  value: string;
  enabled: boolean;
  createdAt: number;
}

type Versions = Map<string, Version>;

export interface AzureServices extends CloudService {
  readonly secrets: Map<string, Versions>;
  readonly deleted: Map<string, Versions>;
  readonly env: Record<string, string>;
  /** Tokens that were given out. */
  readonly tokens: Map<string, number>;
  keyEnabled: boolean;
}

const error = (status: number, code: string, message: string, headers?: Record<string, string>): Refusal =>
  new Refusal({ status, body: { error: { code, message } }, ...(headers === undefined ? {} : { headers }) });

export async function startAzureServices(options: { port?: number } = {}): Promise<AzureServices> {
  const secrets = new Map<string, Versions>();
  const deleted = new Map<string, Versions>();
  const tokens = new Map<string, number>();
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyVersion = randomBytes(16).toString('hex');

  const bundle = (name: string, id: string, version: Version, withValue: boolean) => ({
    id: `${base.url}/secrets/${name}/${id}`,
    ...(withValue ? { value: version.value } : {}),
    attributes: {
      enabled: version.enabled,
      created: Math.floor(version.createdAt / 1000),
      updated: Math.floor(version.createdAt / 1000),
      recoveryLevel: 'Recoverable+Purgeable',
    },
  });
  const find = (name: string): Versions => {
    const versions = secrets.get(name);
    if (versions === undefined)
      throw error(404, 'SecretNotFound', `A secret with (name/id) ${name} was not found in this key vault.`);
    return versions;
  };

  /** The token endpoint and its description. */
  const entra = ({ method, url, body }: CloudRequest): CloudAnswer | undefined => {
    if (!url.pathname.startsWith(`/${AZURE_APP.tenant}/`)) return undefined;
    const root = `${base.url}/${AZURE_APP.tenant}`;
    if (method === 'GET' && url.pathname.endsWith('/.well-known/openid-configuration'))
      return {
        status: 200,
        body: {
          issuer: `${root}/v2.0`,
          authorization_endpoint: `${root}/oauth2/v2.0/authorize`,
          token_endpoint: `${root}/oauth2/v2.0/token`,
          jwks_uri: `${root}/discovery/v2.0/keys`,
        },
      };
    if (method !== 'POST' || !url.pathname.endsWith('/oauth2/v2.0/token')) return { status: 404 };
    const form = new URLSearchParams(body.toString('utf8'));
    if (form.get('client_id') !== AZURE_APP.client || form.get('client_secret') !== AZURE_APP.secret) {
      base.refused += 1;
      return {
        status: 401,
        body: {
          error: 'invalid_client',
          error_description: 'AADSTS7000215: Invalid client secret provided.',
          error_codes: [7000215],
        },
      };
    }
    if (
      form.get('grant_type') !== 'client_credentials' ||
      form.get('scope') !== 'https://vault.azure.net/.default openid profile offline_access'
    ) {
      if (!(form.get('scope') ?? '').split(' ').includes('https://vault.azure.net/.default'))
        return { status: 400, body: { error: 'invalid_scope', error_description: 'AADSTS70011: scope' } };
    }
    const token = randomBytes(24).toString('base64url');
    tokens.set(token, Date.now() + 3_600_000);
    base.log.push('token');
    return { status: 200, body: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: token } };
  };

  const authorize = ({ headers }: CloudRequest): void => {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    if (token !== undefined && (tokens.get(token) ?? 0) > Date.now()) return;
    if (token !== undefined) base.refused += 1;
    throw error(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.', {
      'www-authenticate': `Bearer authorization="${base.url}/${AZURE_APP.tenant}", resource="https://vault.azure.net"`,
    });
  };

  const handle = (request: CloudRequest): CloudAnswer => {
    const given = entra(request);
    if (given !== undefined) return given;
    authorize(request);
    const { method, url } = request;
    if (!/^7\.\d|^20\d\d-/.test(url.searchParams.get('api-version') ?? ''))
      throw error(400, 'BadParameter', 'api-version');
    const [kind, name = '', id = '', operation = ''] = url.pathname.slice(1).split('/');
    const input =
      request.body.length === 0 ? {} : (JSON.parse(request.body.toString('utf8')) as Record<string, unknown>);
    base.log.push(`${method} ${url.pathname}`);
    if (kind === 'secrets' && name === '' && method === 'GET') {
      const names = [...secrets.keys()].sort();
      const from = Number(url.searchParams.get('$skiptoken') ?? 0);
      const next = new URL(url);
      next.searchParams.set('$skiptoken', String(from + 5));
      return {
        status: 200,
        body: {
          value: names.slice(from, from + 5).map((each) => {
            const version = [...find(each).values()][0] as Version;
            return { ...bundle(each, '', version, false), id: `${base.url}/secrets/${each}` };
          }),
          nextLink: from + 5 < names.length ? next.href : null,
        },
      };
    }
    if (kind === 'secrets' && method === 'PUT') {
      if (!/^[0-9a-zA-Z-]{1,127}$/.test(name)) throw error(400, 'BadParameter', 'The secret name is invalid.');
      if (deleted.has(name))
        throw error(409, 'Conflict', `Secret ${name} is currently in a deleted but recoverable state.`);
      if (String(input['value']).length > 25_600) throw error(400, 'BadParameter', 'value is too long');
      const versions = secrets.get(name) ?? new Map<string, Version>();
      const made = randomBytes(16).toString('hex');
      const version = { value: String(input['value']), enabled: true, createdAt: Date.now() };
      versions.set(made, version);
      secrets.set(name, versions);
      return { status: 200, body: bundle(name, made, version, true) };
    }
    if (kind === 'secrets' && method === 'GET' && id === 'versions')
      return {
        status: 200,
        body: { value: [...find(name)].map(([each, version]) => bundle(name, each, version, false)), nextLink: null },
      };
    if (kind === 'secrets' && method === 'GET') {
      const versions = find(name);
      const chosen = id === '' ? ([...versions.keys()].at(-1) as string) : id;
      const version = versions.get(chosen);
      if (version === undefined) throw error(404, 'SecretNotFound', `version ${chosen} was not found`);
      if (!version.enabled) throw error(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.');
      return { status: 200, body: bundle(name, chosen, version, true) };
    }
    if (kind === 'secrets' && method === 'PATCH') {
      const version = find(name).get(id);
      if (version === undefined) throw error(404, 'SecretNotFound', id);
      const enabled = (input['attributes'] as { enabled?: boolean } | undefined)?.enabled;
      if (enabled !== undefined) version.enabled = enabled;
      return { status: 200, body: bundle(name, id, version, false) };
    }
    if (kind === 'secrets' && method === 'DELETE') {
      deleted.set(name, find(name));
      secrets.delete(name);
      return {
        status: 200,
        body: { id: `${base.url}/secrets/${name}`, recoveryId: `${base.url}/deletedsecrets/${name}`, attributes: {} },
      };
    }
    if (kind === 'deletedsecrets') {
      if (!deleted.has(name)) throw error(404, 'SecretNotFound', name);
      if (method === 'DELETE') {
        deleted.delete(name);
        return { status: 204 };
      }
      return {
        status: 200,
        body: { id: `${base.url}/secrets/${name}`, recoveryId: `${base.url}/deletedsecrets/${name}`, attributes: {} },
      };
    }
    if (kind === 'keys') return keys(method, name, id, operation, input);
    throw error(404, 'NotFound', url.pathname);
  };

  const keys = (
    method: string,
    name: string,
    id: string,
    operation: string,
    input: Record<string, unknown>,
  ): CloudAnswer => {
    if (name !== 'polyad') throw error(404, 'KeyNotFound', name);
    const kid = `${base.url}/keys/${name}/${keyVersion}`;
    if (method === 'GET') {
      const { n, e } = publicKey.export({ format: 'jwk' });
      return {
        status: 200,
        body: {
          key: { kid, kty: 'RSA', key_ops: ['wrapKey', 'unwrapKey'], n, e },
          attributes: { enabled: azure.keyEnabled },
        },
      };
    }
    if (!azure.keyEnabled) throw error(403, 'Forbidden', 'Operation unwrapKey is not allowed on a disabled key.');
    if (method === 'POST' && operation === 'wrapkey' && id === keyVersion && input['alg'] === 'RSA-OAEP-256') {
      const value = publicEncrypt(
        { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
        Buffer.from(String(input['value']), 'base64url'),
      );
      return { status: 200, body: { kid, value: value.toString('base64url') } };
    }
    if (method === 'POST' && operation === 'unwrapkey' && id === keyVersion && input['alg'] === 'RSA-OAEP-256') {
      try {
        const value = privateDecrypt(
          { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
          Buffer.from(String(input['value']), 'base64url'),
        );
        return { status: 200, body: { kid, value: value.toString('base64url') } };
      } catch {
        throw error(400, 'BadParameter', 'AKV10071: the value does not decrypt');
      }
    }
    throw error(400, 'BadParameter', operation);
  };

  const base = await startCloudService({
    ...options,
    tls: { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY },
    handle,
    words: (fault) =>
      ({
        throttled: error(429, 'Throttled', 'Request was not processed because too many requests were received.', {
          'retry-after': '0',
        }).answer,
        denied: error(
          403,
          'Forbidden',
          `The user, group or application does not have secrets get permission. ${randomUUID()}`,
        ).answer,
        failing: error(500, 'InternalServerError', 'The service had an error.').answer,
      })[fault],
  });
  const azure: AzureServices = Object.assign(base, {
    secrets,
    deleted,
    tokens,
    keyEnabled: true,
    env: {
      AZURE_TENANT_ID: AZURE_APP.tenant,
      AZURE_CLIENT_ID: AZURE_APP.client,
      AZURE_CLIENT_SECRET: AZURE_APP.secret,
      AZURE_AUTHORITY_HOST: base.url,
      AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
      POLYAD_AZURE_VAULT_URL: base.url,
    },
  });
  return azure;
}
