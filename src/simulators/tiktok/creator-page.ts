/**
 * `/creator`: the part of the TikTok app in which a creator allows advertisers to use a post. Plain forms; every button
 * does what the control API's `/spark_posts` does, with the durations that the app offers.
 */
import { escapeHtml, htmlPage } from '../kit/html.ts';
import type { SimulatorAnswer, SimulatorRequest } from '../kit/server.ts';
import {
  APP_DAYS,
  adsUsing,
  allowPost,
  type CreatorPost,
  codeStatus,
  creatorPosts,
  deleteCode,
  isPublic,
  publishPost,
  setPostStatus,
} from './spark.ts';
import type { World } from './types.ts';

const button = (action: string, label: string, primary = false) =>
  `<button type="submit" name="action" value="${action}"${primary ? ' class="primary"' : ''}>${label}</button>`;

const select = (id: string) =>
  `<label for="days-${id}">Days <select id="days-${id}" name="days">${APP_DAYS.map(
    (days) => `<option value="${days}"${days === 30 ? ' selected' : ''}>${days}</option>`,
  ).join('')}</select></label>`;

function article(world: World, row: CreatorPost): string {
  const status = codeStatus(world, row);
  const live = status === 'NOT_USED' || status === 'IN_USE';
  const code =
    status === undefined || status === 'DELETED'
      ? '<p>Ad authorization is off: advertisers cannot use this post.</p>'
      : `<p>Code <code>${escapeHtml(String(row.auth_code))}</code><small>${escapeHtml(status.toLowerCase().replace('_', ' '))} · from ${row.auth_start_time} to ${row.auth_end_time} UTC</small></p>`;
  const shown = isPublic(row);
  return `<form method="post"><fieldset><legend>${escapeHtml(row.post.text)}</legend>
<p><small>${row.post.item_type === 'VIDEO' ? 'Video' : 'Photos'} <code>${row.id}</code> · ${escapeHtml(row.post.status)}</small></p>
${code}
<input type="hidden" name="item_id" value="${row.id}">
${shown ? select(row.id) : ''}
<div class="actions">
${shown ? button('generate', live ? 'Extend' : 'Generate code', true) : ''}
${live ? button('delete', 'Delete code') : ''}
${button(shown ? 'hide' : 'show', shown ? 'Make private' : 'Make public')}
</div></fieldset></form>`;
}

function show(world: World, creator: string | undefined, error?: string): SimulatorAnswer {
  const names = [...new Set([...creatorPosts(world).values()].map((row) => row.tiktok_name))];
  const current = creator ?? names[0] ?? 'mia.makes';
  const links = names.map(
    (name) =>
      `<li><a href="?creator=${encodeURIComponent(name)}"${name === current ? ' aria-current="true"' : ''}>${escapeHtml(name)}</a></li>`,
  );
  const posts = [...creatorPosts(world).by('creator', current)].reverse();
  return htmlPage({
    status: error === undefined ? 200 : 409,
    platform: 'TikTok',
    title: 'Creator app',
    body: `<h1>Posts of ${escapeHtml(current)}</h1>
<p>Generate a code for a post and give it to the advertiser, who redeems it and can then use the post in ads until the days are over.</p>
${error === undefined ? '' : `<div class="alert" role="alert">${escapeHtml(error)}</div>`}
<nav aria-labelledby="who"><h2 id="who">Signed in as</h2><ul>${links.join('')}</ul></nav>
${posts.map((row) => article(world, row)).join('\n')}
<form method="post"><div class="actions">${button('publish', 'Publish a new post')}</div></form>`,
  });
}

/** Carries out one button. @returns what is wrong, if anything. */
function act(world: World, creator: string, form: URLSearchParams): string | undefined {
  const action = form.get('action');
  if (action === 'publish') {
    publishPost(world, creator);
    return undefined;
  }
  const row = creatorPosts(world).get(form.get('item_id') ?? '');
  if (row?.tiktok_name !== creator) return 'This post does not exist.';
  switch (action) {
    case 'generate': {
      const days = Number(form.get('days'));
      if (!APP_DAYS.includes(days)) return `Choose one of ${APP_DAYS.join(', ')} days.`;
      if (!isPublic(row)) return 'Only public posts can be used for ads.';
      allowPost(world, row, days);
      return undefined;
    }
    case 'delete':
      if (adsUsing(world, row.id).length > 0) return 'This post is used in an ad: its code cannot be deleted now.';
      deleteCode(world, row);
      return undefined;
    case 'hide':
      setPostStatus(world, row, 'ONLY_AUTHOR_SEE');
      return undefined;
    case 'show':
      setPostStatus(world, row, 'HESITATE_RECOMMEND');
      return undefined;
    default:
      return 'This button is not known.';
  }
}

/** The creator's page; undefined for any other path. */
export function creatorPage(request: SimulatorRequest, world: World): SimulatorAnswer | undefined {
  if (request.path.replace(/\/$/, '') !== '/creator') return undefined;
  const creator = request.query.get('creator') ?? undefined;
  if (request.method === 'GET') return show(world, creator);
  if (request.method !== 'POST') return undefined;
  const current = creator ?? [...creatorPosts(world).values()][0]?.tiktok_name ?? 'mia.makes';
  const error = act(world, current, new URLSearchParams(request.body.toString('utf8')));
  if (error !== undefined) return show(world, current, error);
  return {
    status: 303,
    headers: { location: `/creator?creator=${encodeURIComponent(current)}`, 'cache-control': 'no-store' },
    body: '',
  };
}
