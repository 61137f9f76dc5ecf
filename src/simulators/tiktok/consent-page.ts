/** The authorize pages: plain HTML without scripts or outside assets, usable by keyboard and screen reader. */
import type { SimulatorAnswer, SimulatorRequest } from '../kit/server.ts';
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
import type { User, World } from './types.ts';

/** Paths of the authorize pages, with and without the last slash. */
const PATHS: Record<string, ConsentKind> = {
  '/portal/auth': 'marketing',
  '/marketing_api/auth': 'marketing',
  '/v2/auth/authorize': 'tt_user',
};

const STYLE = `
:root { color-scheme: light; --ink:#161823; --soft:#5b5d66; --line:#dcdde2; --accent:#c8102e; --paper:#fff; }
* { box-sizing: border-box; }
body { margin:0; background:#f3f3f6; color:var(--ink); font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif; }
.strip { background:#161823; color:#fff; padding:.6rem 1rem; text-align:center; font-size:.9rem; }
.strip strong { color:#5ff2ec; }
main { max-width:40rem; margin:2rem auto; padding:2rem; background:var(--paper); border:1px solid var(--line); border-radius:14px; }
h1 { font-size:1.5rem; line-height:1.25; margin:0 0 .5rem; }
h2 { font-size:1rem; margin:0; }
p { margin:.25rem 0 1rem; color:var(--soft); }
nav ul { list-style:none; display:flex; flex-wrap:wrap; gap:.5rem; margin:.5rem 0 1.5rem; padding:0; }
nav a { display:block; padding:.4rem .9rem; border:1px solid var(--line); border-radius:999px; color:var(--ink); text-decoration:none; }
nav a[aria-current] { background:var(--ink); border-color:var(--ink); color:#fff; }
fieldset { border:1px solid var(--line); border-radius:10px; margin:0 0 1.25rem; padding:.5rem 1rem; }
legend { font-weight:600; padding:0 .4rem; }
label { display:flex; gap:.75rem; align-items:flex-start; padding:.5rem 0; cursor:pointer; }
label + label { border-top:1px solid #eeeef1; }
input[type=checkbox] { width:1.15rem; height:1.15rem; margin-top:.2rem; accent-color:var(--accent); flex:none; }
small { display:block; color:var(--soft); }
.alert { border:1px solid var(--accent); background:#fdecef; color:#8a0b20; border-radius:10px; padding:.75rem 1rem; margin:0 0 1.25rem; }
.actions { display:flex; gap:.75rem; justify-content:flex-end; flex-wrap:wrap; }
button { font:inherit; font-weight:600; padding:.7rem 1.5rem; border-radius:8px; border:1px solid var(--line); background:#fff; color:var(--ink); cursor:pointer; }
button.primary { background:var(--accent); border-color:var(--accent); color:#fff; }
a:focus-visible, button:focus-visible, input:focus-visible { outline:3px solid #1a73e8; outline-offset:2px; }
code { font-size:.85em; overflow-wrap:anywhere; }
`;

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

function html(status: number, title: string, body: string): SimulatorAnswer {
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      // No form-action: browsers apply it to the redirect that follows the form, too.
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    },
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – TikTok simulator</title>
<style>${STYLE}</style>
</head>
<body>
<div class="strip"><strong>TikTok simulator</strong> · this is not TikTok: no real account is touched</div>
<main>
${body}
</main>
</body>
</html>
`,
  };
}

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
