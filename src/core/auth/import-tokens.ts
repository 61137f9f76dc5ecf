/** Credentials that somebody already holds, brought in by `POST /unified/connection` or the form of the connect flow. */
import type { GrantRecipe } from '../connector/auth-spec.ts';
import type { Environment, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { ConnectionAuth } from '../model/connection.ts';
import type { Candidate } from './admission.ts';
import { toSealed } from './credentials.ts';

/** What an import says of a grant: the part of a `Candidate` that is not about who asks. */
export type Imported = Pick<
  Candidate,
  'tokens' | 'nativeScopes' | 'organizationIds' | 'accountId' | 'accountName' | 'emails'
>;

/** Members of `auth` that concern an app, not a grant: they belong to the integration. */
const APP_MEMBERS = [
  'app_id',
  'client_id',
  'client_secret',
  'consumer_key',
  'consumer_secret',
  'dev_api_key',
  'pem',
] as const;

/** Names under which `meta` may list ad accounts; platforms' own names end in `_ids`. */
const ORGANIZATIONS = ['organization_ids', 'org_ids', 'advertiser_ids', 'account_ids'];
const ORGANIZATION = ['organization_id', 'org_id', 'advertiser_id', 'account_id'];

const seconds = (until: string, now: Date): number => (Date.parse(until) - now.getTime()) / 1000;

/** True when `auth` brings credentials rather than repeating what was read. */
export function bringsTokens(auth: ConnectionAuth | undefined): boolean {
  return auth !== undefined && (auth.access_token ?? auth.token ?? auth.key ?? auth.refresh_token) !== undefined;
}

/**
 * Reads `auth` of a connection.
 *
 * `access_token` (or `token`, `key`) is the token; `expires_in` seconds or `expiry_date`, and the same for the refresh
 * token, say when they end. `meta.organization_ids` (or the platform's `advertiser_ids` and the like) names ad accounts,
 * `meta.scopes` native scopes, `meta.grant` the grant recipe when the platform has several.
 *
 * @throws PolyadError `input_field_required`, `input_field_unsupported`, `input_value_invalid`.
 */
export function readImport(platform: Platform, environment: Environment, auth: ConnectionAuth, now: Date): Imported {
  const accessToken = auth.access_token ?? auth.token ?? auth.key;
  if (accessToken === undefined || accessToken.trim() === '')
    throw new PolyadError('input_field_required', {
      message: 'Credentials need an access token.',
      details: { missing: ['auth.access_token'] },
    });
  const foreign = APP_MEMBERS.filter((name) => auth[name] !== undefined);
  if (foreign.length > 0)
    throw new PolyadError('input_field_unsupported', {
      message: `Credentials of an app are not kept on a connection: ${foreign.map((name) => `\`auth.${name}\``).join(', ')}.`,
      details: {
        fields: foreign.map((name) => `auth.${name}`),
        instead: 'Store them with PUT /v1/integrations/{type}/{environment}.',
      },
    });
  const meta = auth.meta ?? {};
  const grant = recipeFor(platform, environment, text(meta['grant']), auth.refresh_token !== undefined);
  const expiresIn = auth.expires_in ?? (auth.expiry_date === undefined ? undefined : seconds(auth.expiry_date, now));
  const refreshExpiresIn =
    auth.refresh_token_expires_in ??
    (auth.refresh_token_expires_date === undefined ? undefined : seconds(auth.refresh_token_expires_date, now));
  if (expiresIn !== undefined && expiresIn <= 0 && auth.refresh_token === undefined)
    throw new PolyadError('input_value_invalid', {
      message: 'The access token has expired and there is no refresh token.',
      details: {
        field: auth.expiry_date === undefined ? 'auth.expires_in' : 'auth.expiry_date',
        reason: 'lies in the past',
      },
    });
  const nativeScopes = texts(meta['scopes'] ?? meta['scope']);
  const organizationIds = [
    ...ORGANIZATIONS.flatMap((name) => texts(meta[name])),
    ...ORGANIZATION.flatMap((name) => texts(meta[name])),
  ];
  const tokens = {
    accessToken: accessToken.trim(),
    scopes: nativeScopes,
    ...(expiresIn === undefined ? {} : { expiresIn }),
    ...(auth.refresh_token === undefined ? {} : { refreshToken: auth.refresh_token }),
    ...(refreshExpiresIn === undefined ? {} : { refreshExpiresIn }),
  };
  return {
    tokens: { ...toSealed(grant, tokens, now), imported: true },
    nativeScopes,
    organizationIds,
    accountId: auth.user_id,
    accountName: auth.name,
    emails: auth.emails,
  };
}

/** The recipe whose rules the tokens follow: the one named, else the first that can use what was brought. */
function recipeFor(
  platform: Platform,
  environment: Environment,
  id: string | undefined,
  refreshes: boolean,
): GrantRecipe {
  const { grants } = platform.auth;
  if (id !== undefined) {
    const named = grants.find((grant) => grant.id === id);
    if (named !== undefined) return named;
    throw new PolyadError('input_value_invalid', {
      message: `\`auth.meta.grant\` is not a grant of ${platform.manifest.name}.`,
      details: { field: 'auth.meta.grant', reason: 'is unknown', allowed: grants.map((grant) => grant.id) },
    });
  }
  const here = grants.filter((grant) => grant.environments.includes(environment));
  const candidates = here.length > 0 ? here : grants;
  return candidates.find((grant) => !refreshes || grant.refresh !== undefined) ?? (candidates[0] as GrantRecipe);
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** A list of ids or names, given as list, as one value, or joined by commas or spaces. Numbers are taken as text. */
function texts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(texts);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return [String(value)];
  return typeof value === 'string' ? value.split(/[\s,]+/).filter((part) => part !== '') : [];
}
