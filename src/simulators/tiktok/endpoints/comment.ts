import {
  addComment,
  blockedWords,
  type Comment,
  commentsOf,
  deleteComment,
  findComment,
  hitsBlockedWord,
  repliesOf,
  saveComment,
  showUnblocked,
} from '../comments.ts';
import { reads, textsOf, writes } from '../declared.ts';
import { checkExport, createExport, csvText, finishedExport } from '../export-tasks.ts';
import { page } from '../paging.ts';
import { advertiserId, advertiserIdOf } from '../params.ts';
import { invalid, owned, readTime } from '../rules.ts';
import { type Call, type Endpoint, RawAnswer, TikTokError } from '../types.ts';

/** Comments below ads, and blocked words: comment/*, blockedword/*. Facts: yml comment_*, blockedword_*. */

const CSV = 'text/csv; charset=utf-8';
/** Blocked words of an ad account; how long one may be is (unverified). */
const MOST_WORDS = 500;
const LONGEST_WORD = 150;

function view(call: Call, row: Comment): Record<string, unknown> {
  const { world } = call;
  const ad = world.ads.get(row.ad_id);
  const campaign = world.campaigns.get(String(ad?.['campaign_id']));
  return {
    comment_id: row.id,
    app: 'TIKTOK',
    content: row.content,
    likes: row.likes,
    replies: repliesOf(world, row.id).length,
    comment_type: row.reply_to === null ? 'COMMENT' : 'REPLY',
    original_comment_id: row.reply_to ?? '0',
    reply_to_comment_id: row.reply_to,
    comment_status: row.status,
    hit_blockedword: hitsBlockedWord(world, row.advertiser_id, row.content),
    create_time: world.stamp(new Date(row.created)),
    campaign_id: campaign?.id ?? null,
    campaign_name: campaign?.['campaign_name'] ?? null,
    adgroup_id: row.adgroup_id,
    adgroup_name: world.adgroups.get(row.adgroup_id)?.['adgroup_name'] ?? null,
    ad_id: row.ad_id,
    ad_name: ad?.['ad_name'] ?? null,
    ad_text: ad?.['ad_text'] ?? null,
    tiktok_item_id: ad?.['tiktok_item_id'] ?? null,
    identity_id: ad?.['identity_id'] ?? null,
    identity_type: ad?.['identity_type'] ?? null,
    is_pinned: false,
    can_delete: row.own,
    is_auth_ttba: true,
    is_auth_comment_manage_scope: true,
    video_play_url: null,
    video_cover_url: null,
    user_avatar_url: `${call.origin}/media/post/${row.user_id}.png`,
    user_name: row.user_name,
    user_id: row.user_id,
  };
}

const instant = (name: string, value: unknown, end: boolean): number =>
  readTime(
    name,
    /^\d{4}-\d{2}-\d{2}$/.test(String(value)) ? `${value} ${end ? '23:59:59' : '00:00:00'}` : value,
  ).getTime();

/** The comments that a list or an export asks for. */
function select(call: Call, params: Record<string, unknown>): Comment[] {
  const adgroup = owned(call.world.adgroups, 'ad group', params['search_value'], advertiserIdOf(call));
  const from = instant('start_time', params['start_time'], false);
  const to = instant('end_time', params['end_time'], true);
  if (to < from) invalid('end_time: It must not be earlier than start_time.');
  const types = (params['comment_type'] as string[] | undefined) ?? ['ALL'];
  const statuses = (params['comment_status'] as string[] | undefined) ?? ['ALL'];
  const ids = params['comment_ids'] as string[] | undefined;
  const field = String(params['sort_field'] ?? 'CREATE_TIME');
  const weight = (row: Comment) =>
    field === 'LIKES' ? row.likes : field === 'REPLIES' ? repliesOf(call.world, row.id).length : row.created;
  const sorted = commentsOf(call.world, adgroup.id)
    .filter((row) => row.created >= from && row.created <= to + 999)
    .filter((row) => types.includes('ALL') || types.includes(row.reply_to === null ? 'COMMENT' : 'REPLY'))
    .filter((row) => statuses.includes('ALL') || statuses.includes(row.status))
    .filter((row) => !ids || ids.includes(row.id))
    .toSorted((a, b) => weight(a) - weight(b));
  return params['sort_type'] === 'ASC' ? sorted : sorted.toReversed();
}

function list(call: Call): unknown {
  const paged = page(select(call, call.params), call, 100);
  return { comments: paged.list.map((row) => view(call, row)), page_info: paged.page_info };
}

function found(call: Call, id: unknown): Comment {
  const row = findComment(call.world, id, advertiserIdOf(call));
  if (!row) throw new TikTokError(40007, `The comment ${String(id)} does not exist.`);
  return row;
}

/** A comment with its replies, or a reply with the comment that it answers. */
function reference(call: Call): unknown {
  const row = found(call, call.params['comment_id']);
  const original = row.reply_to === null ? undefined : findComment(call.world, row.reply_to, row.advertiser_id);
  const related = row.reply_to === null ? [row, ...repliesOf(call.world, row.id)] : original ? [row, original] : [row];
  const paged = page(related, call, 100);
  return {
    comments: paged.list.map((comment) => ({
      ...view(call, comment),
      reply_user_info: { user_name: row.user_name, user_avatar_url: `${call.origin}/media/post/${row.user_id}.png` },
    })),
    page_info: paged.page_info,
  };
}

/** Identities that may answer, below ads of their own. */
const ANSWERING = ['TT_USER', 'CUSTOMIZED_USER'];

/** An ad's identity answers a first-level comment, or comments on the ad. */
function post(call: Call): unknown {
  const { world, params } = call;
  const ad = owned(world.ads, 'ad', params['ad_id'], advertiserIdOf(call));
  for (const name of ['identity_id', 'identity_type']) {
    if (ad[name] !== params[name]) invalid(`${name}: It is not the identity of the ad ${ad.id}.`);
  }
  if (!ANSWERING.includes(String(params['identity_type']))) {
    invalid(`identity_type: An identity of the type ${String(params['identity_type'])} cannot comment.`);
  }
  const text = String(params['text']);
  if (text.trim() === '') invalid('text: Shorter than minimum length 1.');
  const reply = params['comment_type'] === 'REPLY';
  const to = reply ? found(call, params['comment_id']) : undefined;
  if (to && to.reply_to !== null) invalid(`comment_id: Only first-level comments can be answered.`);
  if (to && to.ad_id !== ad.id) invalid(`comment_id: The comment ${to.id} belongs to another ad.`);
  const identity = world.identities.get(String(ad['identity_id']));
  const row = addComment(world, ad, {
    content: text,
    reply_to: to?.id ?? null,
    own: true,
    likes: 0,
    user_name: String(identity?.['display_name'] ?? 'advertiser'),
  });
  const create_time = world.stamp(new Date(row.created));
  return {
    comment: {
      comment_id: row.id,
      text,
      create_time,
      reply_to_comment_id: row.reply_to,
      tiktok_item_id: params['tiktok_item_id'],
    },
  };
}

function updateStatus(call: Call): unknown {
  const rows = (call.params['comment_ids'] as string[]).map((id) => found(call, id));
  for (const row of rows) saveComment(call.world, { ...row, status: call.params['operation'] as Comment['status'] });
  return { extra: {} };
}

function remove(call: Call): unknown {
  const row = found(call, call.params['comment_id']);
  if (!row.own) invalid(`comment_id: Only comments of your own identity can be deleted. Hide the comment ${row.id}.`);
  deleteComment(call.world, row);
  return {};
}

/** Columns of an export, as the document of comment/task/create names them. */
const EXPORTED = {
  content: 'Content',
  likes: 'Likes',
  replies: 'Replies',
  comment_type: 'Comment Type',
  create_time: 'Create Time',
  campaign_name: 'Campaign Name',
  adgroup_name: 'Ad Group Name',
  ad_name: 'Ad Name',
};

function exported(call: Call): RawAnswer {
  const params = finishedExport(call, 'comments');
  const rows = select(call, params).map((row) => view(call, row));
  const names = Object.keys(EXPORTED);
  return new RawAnswer(
    200,
    CSV,
    csvText([Object.values(EXPORTED), ...rows.map((row) => names.map((name) => row[name]))]),
  );
}

const key = (call: Call, word: string) => `${advertiserIdOf(call)}:${word.trim().toLowerCase()}`;
const wordsOf = (call: Call) => blockedWords(call.world).by('advertiser', advertiserIdOf(call));

function addWords(call: Call): unknown {
  const words = call.params['blocked_words'] as string[];
  for (const [i, word] of words.entries()) {
    if (word.trim() === '') invalid(`blocked_words.${i}: Shorter than minimum length 1.`);
    if ([...word].length > LONGEST_WORD) invalid(`blocked_words.${i}: Longer than maximum length ${LONGEST_WORD}.`);
  }
  const added = words.filter((word) => !blockedWords(call.world).get(key(call, word)));
  if (wordsOf(call).length + added.length > MOST_WORDS) {
    invalid(`blocked_words: An advertiser can have ${MOST_WORDS} blocked words.`);
  }
  blockedWords(call.world).putAll(
    added.map((word) => ({ id: key(call, word), advertiser_id: advertiserIdOf(call), word: word.trim() })),
  );
  return {};
}

const requireWord = (call: Call, word: string) => {
  const row = blockedWords(call.world).get(key(call, word));
  if (!row) throw new TikTokError(40007, `The blocked word ${word} does not exist.`);
  return row;
};

function renameWord(call: Call): unknown {
  const before = requireWord(call, String(call.params['old_word']));
  const word = String(call.params['new_word']).trim();
  if (word === '') invalid('new_word: Shorter than minimum length 1.');
  if (key(call, word) !== before.id && blockedWords(call.world).get(key(call, word))) {
    invalid(`new_word: ${word} is blocked already.`);
  }
  blockedWords(call.world).delete(before.id);
  blockedWords(call.world).put({ ...before, id: key(call, word), word });
  return {};
}

function removeWords(call: Call): unknown {
  const rows = (call.params['blocked_words'] as string[]).map((word) => requireWord(call, word));
  for (const row of rows) blockedWords(call.world).delete(row.id);
  showUnblocked(call.world, advertiserIdOf(call));
  return {};
}

function listWords(call: Call): unknown {
  // This one call takes its page as an object.
  const asked = (call.params['page_info'] ?? {}) as Record<string, unknown>;
  const paged = page(wordsOf(call), { ...call, params: asked }, 500);
  return { list: paged.list.map(({ word }) => ({ bw_content: word })), page_info: paged.page_info };
}

const download = (path: string, handle: Endpoint['handle']): Endpoint => ({
  method: 'GET',
  path,
  auth: 'token',
  // Only the path is documented; it takes what the downloads of other tasks take (unverified).
  params: [advertiserId, { name: 'task_id', type: 'string', required: true }],
  handle,
});

/** Comments and blocked words. */
export const endpoints: Endpoint[] = [
  reads('comment/list', list),
  reads('comment/reference', reference),
  writes('comment/post', post),
  writes('comment/status/update', updateStatus),
  writes('comment/delete', remove),
  writes(
    'comment/task/create',
    (call) => {
      select(call, call.params);
      return createExport(call, 'comments');
    },
    { write: false },
  ),
  reads('comment/task/check', (call) => checkExport(call, 'comments')),
  download('comment/task/download', exported),
  writes('blockedword/create', addWords),
  writes('blockedword/update', renameWord),
  writes('blockedword/delete', removeWords),
  reads('blockedword/check', (call) => ({
    results: (textsOf(call, 'blocked_words') ?? []).map((word) => ({
      word,
      blocked: blockedWords(call.world).get(key(call, word)) !== undefined,
    })),
  })),
  reads('blockedword/list', listWords),
  writes('blockedword/task/create', (call) => createExport(call, 'blocked words'), { write: false }),
  reads('blockedword/task/check', (call) => checkExport(call, 'blocked words')),
  download('blockedword/task/download', (call) => {
    finishedExport(call, 'blocked words');
    return new RawAnswer(200, CSV, csvText([['blocked_word'], ...wordsOf(call).map(({ word }) => [word])]));
  }),
];
