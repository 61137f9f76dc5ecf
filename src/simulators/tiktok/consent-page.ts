/** The authorize pages. */
import { escapeHtml, htmlPage } from '../kit/html.ts';
import type { SimulatorAnswer, SimulatorRequest } from '../kit/server.ts';
import { AGENCY_USER, seedAgency } from './agency.ts';
import { scopeName } from './auth.ts';
import {
  type ConsentDecision,
  ConsentError,
  type ConsentKind,
  type ConsentRequest,
  decide,
  offeredAdvertisers,
  readConsentRequest,
} from './consent.ts';
import { makeAdvertiser } from './seed.ts';
import type { User, World } from './types.ts';

/** Paths of the authorize pages, with and without the last slash. */
const PATHS: Record<string, ConsentKind> = {
  '/portal/auth': 'marketing',
  '/marketing_api/auth': 'marketing',
  '/v2/auth/authorize': 'tt_user',
};

const html = (status: number, title: string, body: string): SimulatorAnswer =>
  htmlPage({ status, platform: 'TikTok', title, body });

const errorPage = (message: string) =>
  html(
    400,
    'Authorization not possible',
    `<h1>Authorization not possible</h1><div class="alert" role="alert">${escapeHtml(message)}</div>
<p>Check the authorize URL and the app's registered redirect URLs. You have not been sent back, because the address to send you to cannot be trusted.</p>`,
  );

const checkbox = (name: string, value: string, title: string, note: string, checked: boolean) =>
  `<label><input type="checkbox" name="${name}" value="${escapeHtml(value)}"${checked ? ' checked' : ''}><span>${escapeHtml(title)}<small>${note}</small></span></label>`;

/** The account switcher: links, since each person has other ad accounts. */
function userSwitch(users: readonly User[], current: User, action: URLSearchParams): string {
  const items = users.map((user) => {
    const query = new URLSearchParams(action);
    query.set('sim_user_id', user.id);
    const mark = user.id === current.id ? ' aria-current="true"' : '';
    return `<li><a href="?${escapeHtml(query.toString())}"${mark}>${escapeHtml(user.display_name)}</a></li>`;
  });
  // The agency is made when somebody signs in as it: a fresh simulator stays small.
  if (!users.some((user) => user.id === AGENCY_USER)) {
    const query = new URLSearchParams(action);
    query.set('sim_user_id', AGENCY_USER);
    items.push(`<li><a href="?${escapeHtml(query.toString())}">An agency with 2,500 ad accounts</a></li>`);
  }
  return `<nav aria-labelledby="who"><h2 id="who">Signed in as</h2><ul>${items.join('')}</ul></nav>`;
}

interface View {
  request: ConsentRequest;
  user: User;
  query: URLSearchParams;
  /** What was ticked before an error; everything at first. */
  ticked?: { advertiser_ids: string[]; scope: string[] };
  error?: string;
}

function consentPage(world: World, { request, user, query, ticked, error }: View): SimulatorAnswer {
  const { app, kind, scopes } = request;
  const accounts = offeredAdvertisers(world, user).map((row) => {
    const bc = row.owner_bc_id === undefined ? 'no Business Center' : world.businessCenters.get(row.owner_bc_id)?.name;
    const note = `<code>${row.id}</code> · ${escapeHtml(row.currency)} · ${escapeHtml(row.display_timezone)} · ${escapeHtml(bc ?? '')} · your role: ${user.roles[row.id]!.toLowerCase()}`;
    return checkbox('advertiser_ids', row.id, row.name, note, ticked?.advertiser_ids.includes(row.id) ?? true);
  });
  const permissions = scopes.map((id) =>
    checkbox(
      'scope',
      id,
      scopeName.get(id) ?? id,
      `permission <code>${escapeHtml(id)}</code>`,
      ticked?.scope.includes(id) ?? true,
    ),
  );
  const accountList = accounts.length > 0 ? accounts.join('') : '<p>This person has no ad account.</p>';
  return html(
    error === undefined ? 200 : 400,
    `Authorize ${app.name}`,
    `<h1>${escapeHtml(app.name)} asks for access to your ${kind === 'marketing' ? 'TikTok ad accounts' : 'TikTok account'}</h1>
<p>You will be sent back to <code>${escapeHtml(request.redirect_uri)}</code>. You can withdraw the access at any time.</p>
${error === undefined ? '' : `<div class="alert" role="alert">${escapeHtml(error)}</div>`}
${userSwitch([...world.users.values()], user, query)}
<form method="post" action="?${escapeHtml(query.toString())}">
<input type="hidden" name="user_id" value="${escapeHtml(user.id)}">
${kind === 'marketing' ? `<fieldset><legend>Ad accounts</legend>${accountList}</fieldset>` : ''}
<fieldset><legend>Permissions</legend>${permissions.join('')}</fieldset>
<div class="actions">
<button type="submit" name="decision" value="decline">Decline</button>
<button type="submit" name="decision" value="approve" class="primary">Confirm</button>
</div>
</form>`,
  );
}

const redirectTo = (location: string): SimulatorAnswer => ({
  status: 302,
  headers: { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
  body: '',
});

function readRequest(world: World, kind: ConsentKind, query: URLSearchParams): ConsentRequest {
  const params: Parameters<typeof readConsentRequest>[2] = {};
  const appId = query.get(kind === 'marketing' ? 'app_id' : 'client_key');
  if (appId) params.app_id = appId;
  for (const name of ['redirect_uri', 'state', 'scope'] as const) {
    const value = query.get(name);
    if (value !== null) params[name] = value;
  }
  if (kind === 'tt_user' && query.get('response_type') !== 'code') {
    throw new ConsentError('response_type must be code.');
  }
  return readConsentRequest(world, kind, params);
}

/** The authorize pages as one function; undefined for any other path. */
export function createConsent(world: World) {
  return (request: SimulatorRequest): SimulatorAnswer | undefined => {
    const kind = PATHS[request.path.replace(/\/$/, '')];
    if (!kind || (request.method !== 'GET' && request.method !== 'POST')) return undefined;
    const { query } = request;
    try {
      const asked = readRequest(world, kind, query);
      const chosen = query.get('sim_user_id');
      if (chosen === AGENCY_USER) seedAgency(world, (given) => makeAdvertiser(world, given));
      const user = (chosen === null ? undefined : world.users.get(chosen)) ?? [...world.users.values()][0];
      if (!user) return errorPage('There is no test user. Reset the simulator or create one with the control API.');
      if (request.method === 'GET') return consentPage(world, { request: asked, user, query });

      const form = new URLSearchParams(request.body.toString('utf8'));
      const ticked = { advertiser_ids: form.getAll('advertiser_ids'), scope: form.getAll('scope') };
      const decision: ConsentDecision = {
        user_id: form.get('user_id') ?? user.id,
        decline: form.get('decision') === 'decline',
        ...ticked,
      };
      try {
        return redirectTo(decide(world, asked, decision));
      } catch (error) {
        if (!(error instanceof ConsentError)) throw error;
        return consentPage(world, { request: asked, user, query, ticked, error: error.message });
      }
    } catch (error) {
      if (error instanceof ConsentError) return errorPage(error.message);
      throw error;
    }
  };
}
