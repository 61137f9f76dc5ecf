/**
 * A token endpoint as strict as any: a refresh token works once, and using it a second time ends the whole grant (RFC 9700).
 * It counts what must not happen. Access tokens say when they end, so that whoever is handed one can judge it. One resource
 * (`GET /accounts`) takes access tokens that live, and no others.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { id, text } from '../../../src/core/connector/codecs.ts';
import { definePlatform } from '../../../src/core/connector/define.ts';
import type { Classification, Platform } from '../../../src/core/connector/types.ts';

interface Grant {
  id: string;
  refresh: string;
  access: string;
  /** Refresh tokens that were used, and when (ms of the provider's time). */
  spent: Map<string, number>;
  ended: boolean;
}

export interface ProviderOptions {
  /** The time that tokens are about, in ms of the epoch. */
  now(): number;
  /** Life of access tokens in seconds of that time. */
  lifeS: number;
  /** A used refresh token answers as before for this long (ms of that time). Default 0: strict. */
  graceMs?: number;
  /** How long the answer to the n-th call takes, in ms of the machine's time. */
  delayMs?(call: number): number;
  /** Grants that this time of grace is for. Default: all. */
  forgives?(grantId: string): boolean;
}

export interface RotatingProvider {
  url: string;
  /** Token calls, answered or not. */
  calls: number;
  /** Uses of a refresh token that had been used before. */
  reuses: number;
  /** While true every call is answered with 503. */
  down: boolean;
  /** Access tokens that were given out. */
  issued: number;
  /** Answers of the resource: with its rows, and refusals of access tokens that had ended. */
  served: number;
  refused: number;
  /** The longest that a refused access token had been over when it came, in ms of the provider's time. */
  longestOver: number;
  /** Called when a token call has arrived and been carried out, before it is answered. */
  onCall: ((grantId: string) => void) | undefined;
  grants: Map<string, Grant>;
  /** A new grant's tokens. */
  grant(id: string): { access_token: string; refresh_token: string; expires_in: number };
  close(): Promise<void>;
}

/** When an access token of the provider ends, in ms of its time. */
export const endOf = (accessToken: string): number => Number(accessToken.split('.')[2]);

export async function startRotatingProvider(options: ProviderOptions): Promise<RotatingProvider> {
  const byRefresh = new Map<string, Grant>();
  const byAccess = new Map<string, Grant>();
  const token = (kind: string, id: string): string =>
    `${kind}.${id}.${options.now() + options.lifeS * 1000}.${randomBytes(9).toString('hex')}`;
  const renew = (grant: Grant): void => {
    grant.access = token('at', grant.id);
    grant.refresh = token('rt', grant.id);
    byRefresh.set(grant.refresh, grant);
    byAccess.set(grant.access, grant);
    provider.issued += 1;
  };
  const answerOf = (grant: Grant) => ({
    access_token: grant.access,
    refresh_token: grant.refresh,
    expires_in: options.lifeS,
  });

  function refresh(refreshToken: string): [number, unknown] {
    const grant = byRefresh.get(refreshToken);
    if (grant === undefined || grant.ended) return [400, { error: 'invalid_grant' }];
    const used = grant.spent.get(refreshToken);
    if (used !== undefined) {
      const grace = options.forgives?.(grant.id) === false ? 0 : (options.graceMs ?? 0);
      if (options.now() - used <= grace) return [200, answerOf(grant)];
      provider.reuses += 1;
      grant.ended = true;
      return [400, { error: 'invalid_grant', error_description: 'refresh token was used before' }];
    }
    grant.spent.set(refreshToken, options.now());
    renew(grant);
    return [200, answerOf(grant)];
  }

  function accounts(accessToken: string): [number, unknown] {
    const grant = byAccess.get(accessToken);
    if (grant === undefined || grant.ended) return [401, { error: 'invalid_token' }];
    const over = options.now() - endOf(accessToken);
    if (over >= 0) {
      provider.refused += 1;
      provider.longestOver = Math.max(provider.longestOver, over);
      return [401, { error: 'token_expired' }];
    }
    provider.served += 1;
    return [200, { rows: [{ id: grant.id, name: `Account of ${grant.id}` }] }];
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      const [status, body] = accounts((request.headers.authorization ?? '').replace('Bearer ', ''));
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    provider.calls += 1;
    const number = provider.calls;
    const [status, body] = provider.down
      ? [503, { error: 'temporarily_unavailable' }]
      : refresh(form.get('refresh_token') ?? '');
    provider.onCall?.((form.get('refresh_token') ?? '').split('.')[1] ?? '');
    const delay = options.delayMs?.(number) ?? 0;
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  const server = createServer((request, response) => void serve(request, response).catch(() => request.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const provider: RotatingProvider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: 0,
    reuses: 0,
    down: false,
    issued: 0,
    served: 0,
    refused: 0,
    longestOver: 0,
    onCall: undefined,
    grants: new Map(),
    grant(id) {
      const grant: Grant = { id, refresh: '', access: '', spent: new Map(), ended: false };
      renew(grant);
      provider.grants.set(id, grant);
      return answerOf(grant);
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return provider;
}

/** The module of that provider. */
export function rotatingPlatform(): Platform {
  const call = { host: 'api', method: 'POST', path: '/token', encoding: 'form' } as const;
  return definePlatform({
    manifest: {
      id: 'rotating',
      type: 'rotatingads',
      name: 'Rotating Ads',
      color: '#123456',
      textColor: '#ffffff',
      docsUrl: 'https://docs.rotating.example/',
      webUrl: 'https://rotating.example/',
      description: 'A platform for tests.',
      rateLimitDescription: 'None.',
      apiVersions: [{ version: 'v1', released: '2026-01-01', sunset: null, default: true, source: 'test' }],
      hosts: { production: { api: 'https://api.rotating.example' } },
      quotas: [],
      queryStyle: 'repeat',
      money: 'none',
      time: 'none',
      requestIdHeaders: [],
      secretParams: [],
    },
    auth: {
      grants: [
        {
          id: 'main',
          title: 'Main',
          authorize: { host: 'api', path: '/authorize', params: {} },
          codeParams: ['code'],
          exchange: { ...call, params: { code: '{code}' } },
          refresh: { ...call, params: { grant_type: 'refresh_token', refresh_token: '{refresh_token}' } },
          readTokens(answer) {
            const { access_token, refresh_token, expires_in } = answer as Record<string, unknown>;
            return {
              accessToken: access_token as string,
              refreshToken: refresh_token as string,
              expiresIn: expires_in as number,
              scopes: [],
            };
          },
          tokenModel: () => ({ kind: 'expiring_rotating_refresh' }),
          environments: ['production'],
        },
      ],
      header: { name: 'Authorization', value: 'Bearer {access_token}' },
      credentialAliases: {},
      permissions: {},
      probe: async () => ({}),
    },
    errors: {
      classify(_request, { status, json }): Classification | null {
        const code = (json as { error?: string } | undefined)?.error;
        const native = code === undefined ? {} : { code };
        const gone = { code: 'connection_reconnect_required', retry: 'never', scope: 'connection', native } as const;
        if (code === 'token_expired') return { ...gone, tokenExpired: true };
        if (code === 'invalid_grant' || code === 'invalid_token') return gone;
        if (status >= 400) return { code: 'platform_unavailable', retry: 'after', scope: 'platform', native };
        return null;
      },
    },
    objects: {
      organization: {
        native: 'account',
        scope: 'connection',
        fields: [
          { unified: 'id', native: 'id', codec: id, access: 'read' },
          { unified: 'name', native: 'name', codec: text(), access: 'read' },
        ],
        list: {
          request: () => ({ method: 'GET', path: '/accounts', operation: 'accounts' }),
          rows: 'rows',
          paging: { kind: 'none' },
          filters: {},
        },
      },
    },
  });
}
