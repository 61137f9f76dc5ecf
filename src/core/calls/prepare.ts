/** A platform request put together: address, query, headers with the token, body. */
import { setPath } from '../connector/fields.ts';
import { hostsFor } from '../connector/hosts.ts';
import type { Environment, Manifest, Platform, PlatformRequest } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { ConnectionRow } from '../store/schema.ts';
import { encodeBody, encodeQuery } from './encode.ts';
import type { PipelineParts } from './pipeline.ts';
import type { AppCredentials } from './ports.ts';

/** A request as it is sent, and the token in it. */
export interface Prepared {
  url: string;
  headers: Record<string, string>;
  body?: string | Buffer;
  token: string;
}

const appMissing = ({ name }: Manifest, { operation }: PlatformRequest): PolyadError =>
  new PolyadError('integration_not_configured', {
    message: `${name} needs the app credentials for \`${operation}\`, and this connection has none.`,
  });

/** The request with the credentials that its endpoint wants in the body. */
function withSecrets(
  { manifest }: Platform,
  request: PlatformRequest,
  app: AppCredentials | undefined,
  accessToken: string,
): PlatformRequest {
  if (request.jsonSecrets === undefined) return request;
  if (app === undefined) throw appMissing(manifest, request);
  const values = { ...app, access_token: accessToken };
  const json = structuredClone(request.json ?? {}) as Record<string, unknown>;
  for (const [path, name] of Object.entries(request.jsonSecrets)) setPath(json, path, values[name]);
  return { ...request, json };
}

/** The address of a request, without its query. */
export function addressOf(
  { hosts: overrides }: PipelineParts,
  connection: ConnectionRow,
  platform: Platform,
  request: PlatformRequest,
): string {
  const hosts = hostsFor(platform, connection.environment as Environment, overrides);
  const base = hosts[request.host ?? 'api'];
  if (base === undefined)
    throw new PolyadError('internal', { message: `platform ${platform.manifest.id} names no host ${request.host}` });
  return base + request.path;
}

/**
 * Puts a request together with a token that is valid now.
 *
 * @param app credentials of the connection's app, for endpoints that want them
 * @param expired the token that the platform has just called expired, if it did
 * @throws PolyadError `connection_reconnect_required` when the grant is gone; `integration_not_configured`
 */
export async function prepare(
  parts: PipelineParts,
  connection: ConnectionRow,
  platform: Platform,
  request: PlatformRequest,
  app: AppCredentials | undefined,
  expired: string | undefined,
): Promise<Prepared> {
  const { manifest, auth } = platform;
  const query: Record<string, unknown> = { ...request.query };
  for (const [name, credential] of Object.entries(request.appParams ?? {})) {
    if (app === undefined) throw appMissing(manifest, request);
    query[name] = app[credential];
  }
  const { accessToken } = await parts.tokens.tokenFor(connection, expired);
  const { contentType, body } = encodeBody(withSecrets(platform, request, app, accessToken));
  const encoded = encodeQuery(query, manifest.queryStyle);
  return {
    url: addressOf(parts, connection, platform, request) + (encoded === '' ? '' : `?${encoded}`),
    headers: {
      accept: 'application/json',
      'user-agent': 'polyad',
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...request.headers,
      [auth.header.name.toLowerCase()]: auth.header.value.replace('{access_token}', accessToken),
    },
    ...(body === undefined ? {} : { body }),
    token: accessToken,
  };
}
