/** The Events Manager: a page that lists event sources and makes access tokens, each shown once. */
import { escapeHtml, htmlPage } from '../kit/html.ts';
import type { SimulatorAnswer, SimulatorRequest } from '../kit/server.ts';
import { eventSources, type SourceView, typeOfSource } from './control-events.ts';
import { accountsOf, findSource, makeEventsToken } from './event-sources.ts';
import type { User, World } from './types.ts';

/** Where the page is. The real one is part of Ads Manager (Tools > Events). */
export const EVENTS_MANAGER = '/events_manager';

const html = (status: number, body: string): SimulatorAnswer =>
  htmlPage({ status, platform: 'TikTok', title: 'Events Manager', body });

const mayOperate = (user: User, advertiserId: string) => ['ADMIN', 'OPERATOR'].includes(user.roles[advertiserId] ?? '');

const KINDS = { web: 'Web (pixel)', app: 'App', offline: 'Offline', crm: 'CRM' } as const;

function sourceForm(source: SourceView, user: User): string {
  const { event_source_id: id, accepted, duplicates, test_events } = source;
  return `<form method="post" action="?user_id=${escapeHtml(user.id)}"><fieldset><legend>${escapeHtml(source.name)}</legend>
<small>${KINDS[source.event_source]} · <code>${escapeHtml(id)}</code> · ad account <code>${source.advertiser_id}</code></small>
<small>${accepted} events, ${duplicates} duplicates, ${test_events} test events</small>
<input type="hidden" name="event_source_id" value="${escapeHtml(id)}">
<div class="actions"><button type="submit" aria-label="Generate Access Token for ${escapeHtml(source.name)} (${KINDS[source.event_source]})">Generate Access Token</button></div></fieldset></form>`;
}

function list(world: World, user: User, notice = '', status = 200): SimulatorAnswer {
  const people = [...world.users.values()].map(
    (person) =>
      `<li><a href="?user_id=${escapeHtml(person.id)}"${person.id === user.id ? ' aria-current="true"' : ''}>${escapeHtml(person.display_name)}</a></li>`,
  );
  const sources = Object.keys(user.roles)
    .filter((id) => mayOperate(user, id))
    .flatMap((id) => eventSources(world, id));
  return html(
    status,
    `<h1>Events Manager</h1>
<p>An access token made here reports events of its ad account and does nothing else.</p>${notice}
<nav aria-labelledby="who"><h2 id="who">Signed in as</h2><ul>${people.join('')}</ul></nav>
${sources.map((source) => sourceForm(source, user)).join('') || '<p>This person operates no ad account.</p>'}`,
  );
}

/** Serves the page; undefined for any other path. */
export function eventsManager(request: SimulatorRequest, world: World): SimulatorAnswer | undefined {
  if (request.path.replace(/\/$/, '') !== EVENTS_MANAGER) return undefined;
  if (request.method !== 'GET' && request.method !== 'POST') return undefined;
  const asked = request.query.get('user_id');
  const user = (asked === null ? undefined : world.users.get(asked)) ?? [...world.users.values()][0];
  if (!user) return html(404, '<h1>Events Manager</h1><p>There is no test user. Reset the simulator.</p>');
  if (request.method === 'GET') return list(world, user);
  const id = new URLSearchParams(request.body.toString('utf8')).get('event_source_id') ?? '';
  const type = typeOfSource(world, id);
  const source = type && findSource(world, type, id);
  if (!source || !accountsOf(source).some((account) => mayOperate(user, account))) {
    const text = 'You must be an admin or operator of the ad account that has this event source.';
    return list(world, user, `<div class="alert" role="alert">${text}</div>`, 403);
  }
  const token = makeEventsToken(world, type, id, user.id);
  return html(
    200,
    `<h1>Access token</h1>
<p>For <code>${escapeHtml(id)}</code>. Copy it now: it is not shown again.</p>
<p><code id="token">${token.id}</code></p>
<div class="actions"><a href="?user_id=${escapeHtml(user.id)}">Back to the Events Manager</a></div>`,
  );
}
