/** The decision that a person takes on an authorize page, with or without a browser. */
import { issueAuthCode, redirectAllowed, scopeIncludes } from './auth.ts';
import type { Advertiser, App, User, World } from './types.ts';

/** Which product the app asks for: ad accounts (marketing) or a TikTok account (tt_user). */
export type ConsentKind = 'marketing' | 'tt_user';

/** What the app asks for by the authorize URL. */
export interface ConsentRequest {
  kind: ConsentKind;
  app: App;
  redirect_uri: string;
  state: string | undefined;
  /** Permissions that may be granted: the app's own numeric ones, or the textual ones of the URL. */
  scopes: string[];
}

/** What the person answers; what is absent means "all". */
export interface ConsentDecision {
  user_id?: string;
  advertiser_ids?: string[];
  scope?: string[];
  decline?: boolean;
}

/** A consent that cannot be: shown as an error page, never as a redirect. */
export class ConsentError extends Error {}

const list = (text: string | undefined) => (text ?? '').split(',').flatMap((item) => item.trim() || []);

/**
 * Reads an authorize URL.
 * @throws ConsentError if the app is unknown or the redirect address is not registered for it.
 */
export function readConsentRequest(
  world: World,
  kind: ConsentKind,
  params: { app_id?: string; redirect_uri?: string; state?: string; scope?: string },
): ConsentRequest {
  const name = kind === 'marketing' ? 'app_id' : 'client_key';
  const app = params.app_id === undefined ? undefined : world.apps.get(params.app_id);
  if (!app) {
    throw new ConsentError(
      params.app_id ? `There is no app with the ${name} ${params.app_id}.` : `${name} is missing.`,
    );
  }
  const { redirect_uri, state } = params;
  if (!redirect_uri) throw new ConsentError('redirect_uri is missing.');
  if (!redirectAllowed(app, redirect_uri)) {
    throw new ConsentError(`The redirect_uri ${redirect_uri} is not registered for the app ${app.name}.`);
  }
  const scopes = kind === 'marketing' ? app.scope : list(params.scope ?? 'user.info.basic');
  if (scopes.length === 0) throw new ConsentError('scope is missing.');
  return { kind, app, redirect_uri, state: state || undefined, scopes };
}

/** The ad accounts a person can give access to: those with a role, without sandbox accounts. */
export function offeredAdvertisers(world: World, user: User): Advertiser[] {
  return Object.keys(user.roles).flatMap((id) => {
    const advertiser = world.advertisers.get(id);
    return advertiser && !advertiser.sandbox ? [advertiser] : [];
  });
}

function redirect(request: ConsentRequest, members: Record<string, string>): string {
  const url = new URL(request.redirect_uri);
  for (const [name, value] of Object.entries(members)) url.searchParams.append(name, value);
  if (request.state !== undefined) url.searchParams.append('state', request.state);
  return url.href;
}

/** All of `offered` if nothing was said, else `wanted`, if every member of it is among (by `covers`) what is offered. */
function subset(
  wanted: string[] | undefined,
  offered: readonly string[],
  what: string,
  covers = (id: string) => offered.includes(id),
): string[] {
  if (wanted === undefined) return [...offered];
  const strange = wanted.find((id) => !covers(id));
  if (strange !== undefined) throw new ConsentError(`${what} ${strange} is not among those that can be granted.`);
  if (wanted.length === 0) throw new ConsentError(`Choose at least one ${what}.`);
  return [...new Set(wanted)];
}

/**
 * Carries out a decision and tells where the browser goes: `auth_code` and, with the same value, `code`, and `state`.
 * A refusal comes back as `error=access_denied` with `state` (unverified: TikTok does not document it).
 * @throws ConsentError for a user, ad account or permission that is not on offer.
 */
export function decide(world: World, request: ConsentRequest, decision: ConsentDecision): string {
  if (decision.decline) {
    return redirect(request, { error: 'access_denied', error_description: 'The user declined the authorization.' });
  }
  const userId = decision.user_id ?? [...world.users.values()][0]?.id;
  const user = userId === undefined ? undefined : world.users.get(userId);
  if (!user) throw new ConsentError(`There is no user ${decision.user_id}.`);
  // A part of a permission may be granted too: `200` where the app asks for `2`.
  const scope = subset(decision.scope, request.scopes, 'permission', (id) => scopeIncludes(request.scopes, id));
  const offered = offeredAdvertisers(world, user).map((row) => row.id);
  const advertiser_ids = request.kind === 'marketing' ? subset(decision.advertiser_ids, offered, 'ad account') : [];
  const { kind, app, redirect_uri } = request;
  const code = issueAuthCode(world, { kind, app_id: app.id, user_id: user.id, advertiser_ids, scope, redirect_uri });
  const granted = kind === 'tt_user' ? { scopes: scope.join(',') } : {};
  return redirect(request, { auth_code: code, code, ...granted });
}
