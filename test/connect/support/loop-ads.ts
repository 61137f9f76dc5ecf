/**
 * A small ad platform of our own making, for tests of the connect flow: an HTTP server with a sign-in, PKCE, rotating
 * refresh tokens and revocation, and the module that describes it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GrantRecipe, TokenCall } from '../../../src/core/connector/auth-spec.ts';
import { definePlatform } from '../../../src/core/connector/define.ts';
import type { Classification, Platform, PlatformResponse } from '../../../src/core/connector/types.ts';

interface Grant {
  user: string;
  accounts: string[];
  scopes: string[];
  access: string;
  refresh?: string;
  accessEnds?: number;
  revoked: boolean;
}

interface Code {
  grant: Grant;
  redirectUri: string;
  challenge?: string;
  used: boolean;
}

/** One request as the platform saw it. */
export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, string>;
  token: string | undefined;
}

export interface LoopAds {
  url: string;
  seen: Seen[];
  grants: Grant[];
  app: { client_id: string; client_secret: string };
  /** What the next consents are about. */
  consent: { user: string; accounts: string[]; scopes: string[]; expiresIn: number | undefined };
  /** Answers of the token endpoint are held until this resolves. */
  gate: Promise<void> | undefined;
  /** Answers that replace the next ones of a path: status and JSON (or text, or a dropped connection). */
  faults: { path: string; status: number; body: unknown; drop?: boolean; headers?: Record<string, string> }[];
  /** Milliseconds of the epoch, for tokens that expire. */
  now(): number;
  /** A browser at the authorize page that says yes or no; answers where it is sent. */
  decide(authorizeUrl: string, yes?: boolean): string;
  count(path: string): number;
  close(): Promise<void>;
}

const random = (prefix: string): string => `${prefix}${randomBytes(12).toString('hex')}`;

export async function startLoopAds(now: () => number): Promise<LoopAds> {
  const codes = new Map<string, Code>();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const platform: LoopAds = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    grants: [],
    app: { client_id: 'app-1', client_secret: 'very-secret-secret' },
    consent: { user: 'user-1', accounts: ['acc-1', 'acc-2'], scopes: ['1'], expiresIn: 3600 },
    gate: undefined,
    faults: [],
    now,
    decide(authorizeUrl, yes = true) {
      const { searchParams: query } = new URL(authorizeUrl);
      const back = new URL(query.get('redirect_uri') as string);
      back.searchParams.set('state', query.get('state') as string);
      if (!yes) {
        back.searchParams.set('error', 'access_denied');
        back.searchParams.set('error_description', 'The person said <no>.');
        return back.href;
      }
      const { user, accounts, scopes, expiresIn } = platform.consent;
      const grant: Grant = { user, accounts, scopes, access: random('at-'), revoked: false };
      if (expiresIn !== undefined)
        Object.assign(grant, { refresh: random('rt-'), accessEnds: now() + expiresIn * 1000 });
      platform.grants.push(grant);
      const code = random('code-');
      const challenge = query.get('code_challenge');
      codes.set(code, {
        grant,
        redirectUri: query.get('redirect_uri') as string,
        used: false,
        ...(challenge === null ? {} : { challenge }),
      });
      back.searchParams.set('auth_code', code);
      back.searchParams.set('code', code);
      return back.href;
    },
    count: (path) => platform.seen.filter((one) => one.path === path).length,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', platform.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const form = (request.headers['content-type'] ?? '').includes('form');
    const body =
      text === ''
        ? {}
        : form
          ? Object.fromEntries(new URLSearchParams(text))
          : (JSON.parse(text) as Record<string, string>);
    const token = request.headers['access-token'] as string | undefined;
    platform.seen.push({ method: request.method ?? '', path: url.pathname, query: url.searchParams, body, token });
    const fault = platform.faults.findIndex((one) => one.path === url.pathname);
    const [planned] = fault >= 0 ? platform.faults.splice(fault, 1) : [];
    if (url.pathname.startsWith('/token')) await platform.gate;
    if (planned !== undefined) {
      if (planned.drop === true) return void request.socket.destroy();
      response.writeHead(planned.status, { 'content-type': 'application/json', ...planned.headers });
      return void response.end(typeof planned.body === 'string' ? planned.body : JSON.stringify(planned.body));
    }
    const result = handle(url.pathname, body, token);
    response.writeHead(200, { 'content-type': 'application/json', 'x-request-id': 'loop-1' });
    response.end(JSON.stringify(result));
  }

  function handle(path: string, body: Record<string, string>, token: string | undefined): unknown {
    if (path === '/me') {
      const grant = platform.grants.find((one) => one.access === token);
      if (grant === undefined || grant.revoked)
        return { code: 'E_REVOKED', message: 'Access token is incorrect or has been revoked.' };
      if (grant.accessEnds !== undefined && grant.accessEnds <= now())
        return { code: 'E_EXPIRED', message: 'Access token has expired.' };
      return { id: grant.user, name: `Name of ${grant.user}`, accounts: grant.accounts };
    }
    if (body['client_id'] !== platform.app.client_id || body['client_secret'] !== platform.app.client_secret)
      return { code: 'E_APP', message: `app ${body['client_id']} with secret ${body['client_secret']} is unknown` };
    if (path === '/token') {
      const code = codes.get(body['code'] ?? '');
      const proof =
        code?.challenge === undefined ||
        createHash('sha256')
          .update(body['code_verifier'] ?? '')
          .digest('base64url') === code.challenge;
      if (code === undefined || code.used || code.redirectUri !== body['redirect_uri'] || !proof)
        return { code: 'E_CODE', message: `code ${body['code']} is not valid` };
      code.used = true;
      return tokenAnswer(code.grant);
    }
    if (path === '/token/refresh') {
      const grant = platform.grants.find((one) => one.refresh === body['refresh_token']);
      if (grant === undefined || grant.revoked)
        return { code: 'E_REFRESH', message: `refresh token ${body['refresh_token']} is dead` };
      Object.assign(grant, { access: random('at-'), refresh: random('rt-'), accessEnds: now() + 3600_000 });
      return tokenAnswer(grant);
    }
    if (path === '/token/revoke') {
      const grant = platform.grants.find((one) => one.access === body['access_token']);
      if (grant !== undefined) grant.revoked = true;
      return { ok: true };
    }
    return { code: 'E_PATH', message: 'unknown path' };
  }

  function tokenAnswer(grant: Grant): unknown {
    const lives =
      grant.accessEnds === undefined
        ? {}
        : {
            expires_in: Math.round((grant.accessEnds - now()) / 1000),
            refresh_token: grant.refresh,
            refresh_expires_in: 31_536_000,
          };
    return { access_token: grant.access, scope: grant.scopes, accounts: grant.accounts, ...lives };
  }

  return platform;
}

const call = (path: string, params: Record<string, string>, encoding: TokenCall['encoding'] = 'json'): TokenCall => ({
  host: 'api',
  method: 'POST',
  path,
  encoding,
  params: { client_id: '{client_id}', client_secret: '{client_secret}', ...params },
});

const recipe = {
  codeParams: ['auth_code', 'code'],
  exchange: call('/token', { code: '{code}', redirect_uri: '{redirect_uri}', code_verifier: '{code_verifier}' }),
  refresh: call('/token/refresh', { refresh_token: '{refresh_token}' }, 'form'),
  revoke: call('/token/revoke', { access_token: '{access_token}' }),
  readTokens(answer) {
    const { access_token, scope, accounts, expires_in, refresh_token, refresh_expires_in } = answer as {
      access_token: string;
      scope: (string | number)[];
      accounts: string[];
      expires_in?: number;
      refresh_token?: string;
      refresh_expires_in?: number;
    };
    return {
      accessToken: access_token,
      scopes: scope.map(String),
      organizationIds: accounts,
      ...(expires_in === undefined ? {} : { expiresIn: expires_in }),
      ...(refresh_token === undefined ? {} : { refreshToken: refresh_token }),
      ...(refresh_expires_in === undefined ? {} : { refreshExpiresIn: refresh_expires_in }),
    };
  },
  tokenModel: (tokens) => ({ kind: tokens.refreshToken === undefined ? 'long_lived' : 'expiring_rotating_refresh' }),
  environments: ['production', 'simulator'],
} satisfies Omit<GrantRecipe, 'id' | 'title' | 'authorize'>;

const params = { app_id: '{client_id}', redirect_uri: '{redirect_uri}', state: '{state}', scope: '{scope}' };

function classify(response: PlatformResponse): Classification | null {
  const { code, message } = (response.json ?? {}) as { code?: string; message?: string };
  const native = {
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    requestId: 'loop-1',
  };
  if (response.status >= 500) return { code: 'platform_unavailable', retry: 'after', scope: 'platform', native };
  if (response.status === 429) return { code: 'platform_rate_limited', retry: 'after', scope: 'app', native };
  switch (code) {
    case undefined:
      return null;
    case 'E_REVOKED':
    case 'E_REFRESH':
      return { code: 'connection_reconnect_required', retry: 'never', scope: 'connection', native };
    case 'E_EXPIRED':
      return { code: 'connection_reconnect_required', retry: 'never', scope: 'connection', tokenExpired: true, native };
    case 'E_BARE':
      return { code: 'connection_reconnect_required', retry: 'never', scope: 'connection', weak: true, native };
    case 'E_LOST':
      return { code: 'organization_access_lost', retry: 'never', scope: 'organization', native };
    case 'E_APP':
      return { code: 'platform_app_invalid', retry: 'never', scope: 'app', native };
    default:
      return { code: 'platform_rejected', retry: 'never', scope: 'request', native };
  }
}

/** The module of the platform, as `src/platforms/<id>` would have it. */
export function loopAdsPlatform(): Platform {
  return definePlatform({
    manifest: {
      id: 'loop',
      type: 'loopads',
      typeAliases: ['loopy'],
      name: 'Loop Ads',
      color: '#123456',
      textColor: '#ffffff',
      docsUrl: 'https://docs.loop.example/',
      webUrl: 'https://loop.example/',
      description: 'A platform for tests.',
      rateLimitDescription: 'None.',
      apiVersions: [{ version: 'v1', released: '2026-01-01', sunset: null, default: true, source: 'test' }],
      hosts: { production: { api: 'https://api.loop.example' }, sandbox: { api: 'https://sandbox.loop.example' } },
      quotas: [],
      queryStyle: 'repeat',
      money: 'none',
      time: 'none',
      requestIdHeaders: ['x-request-id'],
      secretParams: [],
    },
    auth: {
      grants: [
        { ...recipe, id: 'main', title: 'Main', authorize: { host: 'api', path: '/authorize', params, pkce: true } },
        {
          ...recipe,
          id: 'account',
          title: 'Account',
          authorize: { host: 'api', path: '/authorize', params },
          callbackSlash: true,
        },
      ],
      header: { name: 'Access-Token', value: '{access_token}' },
      credentialAliases: { app_id: 'client_id', secret: 'client_secret' },
      permissions: { ads_organization_read: ['10'], ads_campaign_read: ['20'], ads_campaign_write: ['21'] },
      scopeParents: { '10': '1', '20': '1', '21': '1' },
      scopeTexts: { ads_organization_read: 'to know your "Loop" accounts' },
      async probe(ctx) {
        const answer = await ctx.request({ method: 'GET', path: '/me', operation: 'me' });
        const { id, name, accounts } = answer.json as { id: string; name: string; accounts: string[] };
        return { accountId: id, accountName: name, organizationIds: accounts };
      },
    },
    errors: { classify: (_request, response) => classify(response) },
    objects: {
      organization: {
        native: 'account',
        scope: 'connection',
        fields: [],
        list: {
          request: () => ({ method: 'GET', path: '/me', operation: 'me' }),
          rows: 'accounts',
          paging: { kind: 'none' },
          filters: {},
        },
      },
      campaign: {
        native: 'campaign',
        scope: 'organization',
        fields: [],
        get: async () => undefined,
        create: async () => ({ row: {} }),
      },
    },
  });
}
