/** The status page of a workspace: connections and their health, what can be connected, recent calls. */
import { type Html, html } from '../../core/http/html.ts';
import type { ApiCall, Connection, Integration } from '../../core/model/index.ts';
import type { PageOptions } from '../page.ts';

export interface DashboardFacts {
  workspace: { id: string; name: string };
  keyName: string;
  connections: readonly Connection[];
  /** By environment, as it is written on the wire. */
  offers: readonly { environment: string; integration: Integration; href: string }[];
  calls: readonly ApiCall[];
  notice?: { bad: boolean; text: string };
}

const time = (iso: string | undefined): string =>
  iso === undefined ? '–' : `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;

function healthBadge({ is_paused: paused, health }: Connection): Html {
  if (paused === true) return html`<span class="badge warn">paused</span>`;
  switch (health?.state) {
    case 'healthy':
      return html`<span class="badge good">healthy</span>`;
    case 'unhealthy':
      return html`<span class="badge bad">${health.reconnect_url === undefined ? 'unhealthy' : 'must be re-connected'}</span>`;
    default:
      return html`<span class="badge">not used yet</span>`;
  }
}

/** Who granted, and how many ad accounts. */
function grantLine({ auth }: Connection): Html | false {
  const meta = auth?.meta as { organization_ids?: unknown } | undefined;
  const count = Array.isArray(meta?.organization_ids) ? meta.organization_ids.length : undefined;
  const parts = [
    ...(auth?.name === undefined ? [] : [auth.name]),
    ...(count === undefined ? [] : [`${count} ad ${count === 1 ? 'account' : 'accounts'}`]),
  ];
  return parts.length > 0 && html`<br><span class="soft">${parts.join(' · ')}</span>`;
}

const connectionRow = (connection: Connection): Html => html`<tr>
<td><strong>${connection.integration_name ?? connection.integration_type}</strong> <span class="soft">${connection.environment}</span>${grantLine(connection)}</td>
<td>${healthBadge(connection)}${
  connection.health?.message !== undefined && html`<br><span class="soft">${connection.health.message}</span>`
}${connection.health?.reconnect_url !== undefined && html`<br><a href="${connection.health.reconnect_url}">Connect again</a>`}</td>
<td><code>${connection.id}</code>${connection.external_xref !== undefined && html`<br><span class="soft">${connection.external_xref}</span>`}</td>
<td class="time">${time(connection.created_at)}</td>
<td class="time">${time(connection.last_healthy_at)}</td>
</tr>`;

const offerCard = ({
  environment,
  integration,
  href,
}: DashboardFacts['offers'][number]): Html => html`<div class="card">
<div class="row">${integration.logo_url !== undefined && html`<img src="${integration.logo_url}" alt="" width="28" height="28">`}<h3>${integration.name}</h3><span class="badge">${environment}</span></div>
${
  integration.is_active === false
    ? html`<p class="soft">Store your app’s credentials first: <code>PUT /v1/integrations/${integration.type}/${environment.toLowerCase()}</code></p>`
    : html`<p><a class="button" href="${href}">Connect<span class="hidden"> ${integration.name}, ${environment}</span></a></p>`
}</div>`;

const callRow = (call: ApiCall): Html => html`<tr>
<td class="time">${time(call.created_at)}</td>
<td><span class="badge ${call.error === undefined ? 'good' : 'bad'}">${call.status}</span></td>
<td>${call.name}<br><code>${call.method} ${call.path.length > 90 ? `${call.path.slice(0, 90)}…` : call.path}</code>${
  call.error !== undefined && html`<br><span class="soft">${call.error}</span>`
}</td>
<td>${call.endapi_response_time === undefined ? '–' : `${call.endapi_response_time} ms`}</td>
<td>${call.unified_response_time === undefined ? '–' : `${call.unified_response_time} ms`}</td>
</tr>`;

const table = (name: string, heads: readonly string[], rows: readonly Html[], empty: string): Html =>
  rows.length === 0
    ? html`<div class="card empty">${empty}</div>`
    : html`<div class="table" role="region" aria-label="${name}" tabindex="0"><table><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;

export function dashboardPage(facts: DashboardFacts): PageOptions {
  const unhealthy = facts.connections.filter(({ health }) => health?.state === 'unhealthy').length;
  return {
    title: facts.workspace.name,
    current: 'dashboard',
    corner: html`<span>${facts.keyName}</span><form class="inline" method="post" action="/dashboard/sign-out"><button class="quiet">Sign out</button></form>`,
    body: html`<h1>${facts.workspace.name}</h1>
<p class="lead">Workspace <code>${facts.workspace.id}</code> · ${facts.connections.length} ${facts.connections.length === 1 ? 'connection' : 'connections'}${unhealthy > 0 && html`, <strong>${unhealthy} of them unhealthy</strong>`}</p>
${facts.notice !== undefined && html`<p class="notice ${facts.notice.bad && 'bad'}" role="status">${facts.notice.text}</p>`}
<h2>Connections</h2>
${table('Connections', ['Platform', 'Health', 'Id', 'Connected', 'Last worked'], facts.connections.map(connectionRow), 'Nothing is connected yet. Connect an ad account below, or send your customers through the auth address.')}
<h2>Connect an ad account</h2>
<div class="grid">${facts.offers.map(offerCard)}</div>
<h2>Recent calls</h2>
${table('Recent calls', ['When', 'Status', 'Call', 'Platform', 'polyad'], facts.calls.map(callRow), 'No calls yet.')}`,
  };
}

/** The sign-in form. */
export function signInPage(failure?: string): PageOptions {
  return {
    title: 'Sign in',
    current: 'dashboard',
    ...(failure === undefined ? {} : { status: 401 }),
    body: html`<div class="card narrow"><h1>Sign in</h1>
<p class="soft">With an API key of the workspace that has the scope <code>admin</code>. <code>npm start</code> prints the first one.</p>
${failure !== undefined && html`<p class="notice bad" role="alert">${failure}</p>`}
<form method="post" action="/dashboard/sign-in">
<p><label for="key">API key</label><input id="key" name="key" type="password" autocomplete="current-password" spellcheck="false" required autofocus></p>
<p><button>Sign in</button></p>
</form></div>`,
  };
}
