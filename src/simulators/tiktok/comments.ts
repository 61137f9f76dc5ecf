/**
 * Comments below ads, and blocked words. The first comments of an ad are made up when somebody asks; the control API adds
 * more. Facts: yml comment_*, blockedword_*.
 */
import { hash32 } from '../kit/random.ts';
import type { Collection } from '../kit/types.ts';
import { parseStamp } from './stamp.ts';
import type { Native, World } from './types.ts';

/** One comment or reply. */
export interface Comment {
  /** comment_id */
  id: string;
  advertiser_id: string;
  adgroup_id: string;
  ad_id: string;
  content: string;
  likes: number;
  /** The comment that it answers; null for a comment on the ad. */
  reply_to: string | null;
  status: 'PUBLIC' | 'HIDDEN';
  /** Hidden for a blocked word: public again when the word is not blocked any more. */
  blocked: boolean;
  /** Epoch milliseconds. */
  created: number;
  user_name: string;
  user_id: string;
  /** Posted through the API, by the ad's identity: only such comments can be deleted. */
  own: boolean;
}

/** A blocked word; `id` is `<advertiser_id>:<word in lower case>`. */
export interface BlockedWord {
  id: string;
  advertiser_id: string;
  word: string;
}

const rows = (world: World): Collection<Comment> =>
  world.store.collection<Comment>('comments', { adgroup: (row) => row.adgroup_id, reply: (row) => row.reply_to ?? '' });

/** Blocked words, with the index `advertiser`. */
export const blockedWords = (world: World): Collection<BlockedWord> =>
  world.store.collection<BlockedWord>('blocked_words', { advertiser: (row) => row.advertiser_id });

/** Whether a text has a blocked word of the ad account. */
export function hitsBlockedWord(world: World, advertiserId: string, text: string): boolean {
  const lower = text.toLowerCase();
  return blockedWords(world)
    .by('advertiser', advertiserId)
    .some(({ word }) => lower.includes(word.toLowerCase()));
}

const TEXTS = [
  'Love these!',
  'Where can I buy this?',
  'Too expensive…',
  'Does it ship to Kuwait? 🙏',
  'Meh.',
  'Best one yet',
];
const PEOPLE = ['runner_jo', 'mika.k', 'old_oak', 'zoe2004', 'the.real.lars'];

/** What is said of a new comment. */
export type NewComment = Pick<Comment, 'content'> & Partial<Comment>;

/** Adds a comment to an ad. One with a blocked word is hidden at once. */
export function addComment(world: World, ad: Native, { content, ...rest }: NewComment): Comment {
  const id = world.nextId();
  const blocked = hitsBlockedWord(world, ad.advertiser_id, content);
  const comment: Comment = {
    id,
    advertiser_id: ad.advertiser_id,
    adgroup_id: String(ad['adgroup_id']),
    ad_id: ad.id,
    content,
    likes: hash32('likes', id) % 40,
    reply_to: null,
    status: blocked ? 'HIDDEN' : 'PUBLIC',
    blocked,
    created: world.clock.now().getTime(),
    user_name: PEOPLE[hash32('person', id) % PEOPLE.length]!,
    user_id: `68${hash32('user', id)}`,
    own: false,
    ...rest,
  };
  rows(world).put(comment);
  return comment;
}

/** All comments of an ad group; ads that have none yet get theirs. */
export function commentsOf(world: World, adgroupId: string): Comment[] {
  const had = new Set(
    rows(world)
      .by('adgroup', adgroupId)
      .map(({ ad_id }) => ad_id),
  );
  for (const ad of world.ads.by('adgroup', adgroupId)) {
    if (had.has(ad.id)) continue;
    const from = parseStamp(String(ad['create_time']))?.getTime() ?? 0;
    const now = world.clock.now().getTime();
    for (let i = 0; i < 3; i++) {
      const created = Math.floor(from + ((now - from) * (i + 1)) / 4);
      addComment(world, ad, { content: TEXTS[(hash32('comment', ad.id) + i) % TEXTS.length]!, created });
    }
  }
  return [...rows(world).by('adgroup', adgroupId)];
}

/** Shows the comments again that were hidden for words which are not blocked any more. */
export function showUnblocked(world: World, advertiserId: string): void {
  const free = [...rows(world).values()].filter(
    (row) => row.blocked && row.advertiser_id === advertiserId && !hitsBlockedWord(world, advertiserId, row.content),
  );
  rows(world).putAll(free.map((row) => ({ ...row, blocked: false, status: 'PUBLIC' })));
}

/** Answers to a comment, oldest first. */
export const repliesOf = (world: World, id: string): readonly Comment[] => rows(world).by('reply', id);

/** A comment of the ad account; undefined if it has none of this id. */
export function findComment(world: World, id: unknown, advertiserId: string): Comment | undefined {
  const row = typeof id === 'string' ? rows(world).get(id) : undefined;
  return row?.advertiser_id === advertiserId ? row : undefined;
}

/** Puts a changed comment. */
export const saveComment = (world: World, comment: Comment): void => rows(world).put(comment);

/** Deletes a comment with its answers. */
export function deleteComment(world: World, comment: Comment): void {
  for (const reply of repliesOf(world, comment.id)) rows(world).delete(reply.id);
  rows(world).delete(comment.id);
}
