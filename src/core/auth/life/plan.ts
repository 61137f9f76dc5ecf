/**
 * What is to be done for a connection's tokens, and when: pure functions of tokens, record and clock. The sweep does what
 * they say, and sleeps until what they name next.
 */
import { createHash } from 'node:crypto';
import type { Platform } from '../../connector/types.ts';
import type { ConnectionRow, TokenLifeRow } from '../../store/schema.ts';
import { grantOf, type SealedTokens } from '../credentials.ts';
import { lifeOf, refreshable, renewalMargin } from '../expiry.ts';
import { DAY_MS, WARNING_DAYS } from './state.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** First and longest pause between tries of a renewal that fails for a passing reason, in ms. */
export const FIRST_PAUSE_MS = 30_000;
export const LONGEST_PAUSE_MS = 15 * MINUTE;
/** Longest time over which renewals that are due together are spread, in ms. */
const LONGEST_SPREAD_MS = 6 * HOUR;
/** Tokens without an end are tested this often, in ms. */
export const PROBE_EVERY_MS = DAY_MS;

/** Pause before the next try after `failures` failures in a row: doubling, the last half of it random. 0 ≤ random < 1. */
export function retryPause(failures: number, random: number): number {
  const full = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(full / 2 + (full / 2) * random);
}

/** A number from 0 up to 1 that is always the same for the same text: spreads work without anybody remembering it. */
export function share(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}

/**
 * When the sweep renews an access token: before callers would have to (`renewalMargin`), earlier by up to a quarter of its
 * life (at most six hours), differently for each connection and each token, so that connections that were made or
 * renewed together drift apart. Undefined = it does not end.
 */
export function renewalPoint(tokens: SealedTokens, connectionId: string): number | undefined {
  const life = lifeOf(tokens);
  if (life === undefined) return undefined;
  const spread = Math.min(LONGEST_SPREAD_MS, life / 4) * share(`${connectionId}/${tokens.obtained_at}`);
  return Date.parse(tokens.expires_at as string) - renewalMargin(tokens) - spread;
}

/** What the record knows that the tokens do not show. */
export type LifeRecord = Pick<
  TokenLifeRow,
  'failures' | 'refused_version' | 'end_moves' | 'warned_end' | 'warned_days' | 'probed_at'
>;

/** How the tokens stand, beside what they are. */
export interface PlanFacts {
  connectionId: string;
  /** Version of the tokens' secret. */
  version: number;
  record: LifeRecord;
  paused: boolean;
  /** The platform offers a renewal for this grant. */
  renewable: boolean;
}

/** The facts of a connection's tokens; `version` is that of their secret. */
export function planFacts(
  platform: Platform,
  row: Pick<ConnectionRow, 'id' | 'is_paused'>,
  tokens: SealedTokens,
  version: number,
  record: LifeRecord,
): PlanFacts {
  const renewable = grantOf(platform, tokens.grant)?.refresh !== undefined;
  return { connectionId: row.id, version, record, paused: row.is_paused, renewable };
}

/**
 * When the customer must have authorised again; undefined = no such time is known. A refresh token whose end moves on with
 * each renewal has none as long as renewals work; whether it moves is learned from the first renewal, except where the
 * token model says that it does not.
 */
export function knownEnd(tokens: SealedTokens, facts: PlanFacts): Date | undefined {
  const { record, renewable, version } = facts;
  const end = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text));
  if (!renewable || record.refused_version === version) return end(tokens.expires_at);
  if (tokens.kind === 'exchange_to_extend') return record.failures > 0 ? end(tokens.expires_at) : undefined;
  if (tokens.refresh_token === undefined) return end(tokens.expires_at);
  const fixed =
    record.end_moves === false || (record.end_moves === null && tokens.kind !== 'expiring_rotating_refresh');
  return fixed || record.failures > 0 ? end(tokens.refresh_expires_at) : undefined;
}

/** The threshold of `WARNING_DAYS` that has been reached before `end` and not been warned of; undefined = none. */
export function warningDue(end: Date | undefined, record: LifeRecord, now: Date): number | undefined {
  if (end === undefined) return undefined;
  const left = end.getTime() - now.getTime();
  if (left <= 0) return undefined;
  const reached = WARNING_DAYS.findLast((days) => left <= days * DAY_MS);
  if (reached === undefined) return undefined;
  const warned = record.warned_end?.getTime() === end.getTime() ? record.warned_days : null;
  return warned === null || reached < warned ? reached : undefined;
}

export interface Plan {
  /** The access token is over and nothing renews it: the authorization has ended. */
  ended: boolean;
  refresh: boolean;
  probe: boolean;
  /** Days of the warning to send. */
  warn: number | undefined;
  /** The end that warnings are about. */
  end: Date | undefined;
  /** When to look again, once what can be done now was done or failed; null = never. A warning that is due: at once. */
  next: Date | null;
}

/** What is due at `now`, and when to look again. */
export function planFor(tokens: SealedTokens, facts: PlanFacts, now: Date): Plan {
  const { record, connectionId, version, paused } = facts;
  const at = now.getTime();
  const end = knownEnd(tokens, facts);
  const can = facts.renewable && refreshable(tokens, now) && record.refused_version !== version;
  const over = tokens.expires_at === undefined ? undefined : Date.parse(tokens.expires_at);
  const times: number[] = [];
  // A paused connection asks its platform for nothing, except what its grant would otherwise die of.
  const point = !can ? undefined : paused ? lastChance(tokens) : renewalPoint(tokens, connectionId);
  if (point !== undefined) times.push(point);
  const probing = over === undefined && !paused;
  const probeAt = probing ? nextProbe(record.probed_at ?? new Date(tokens.obtained_at), connectionId) : undefined;
  if (probeAt !== undefined) times.push(probeAt);
  if (!can && over !== undefined) times.push(over);
  // Also while it can be renewed: a refresh token's own end needs noticing although nobody calls.
  if (tokens.refresh_expires_at !== undefined && !(over !== undefined && !can))
    times.push(Math.max(Date.parse(tokens.refresh_expires_at), over ?? 0));
  if (end !== undefined) times.push(...WARNING_DAYS.map((days) => end.getTime() - days * DAY_MS));
  const later = times.filter((time) => time > at);
  const ended = !can && over !== undefined && over <= at;
  const warn = warningDue(end, record, now);
  const next = ended || warn !== undefined ? at : later.length === 0 ? null : Math.min(...later);
  return {
    ended,
    refresh: point !== undefined && point <= at,
    probe: probeAt !== undefined && probeAt <= at,
    warn,
    end,
    next: next === null ? null : new Date(next),
  };
}

/** The last stretch in which a grant is kept alive that would die of not being renewed; undefined = it would not. */
function lastChance(tokens: SealedTokens): number | undefined {
  const text = tokens.kind === 'exchange_to_extend' ? tokens.expires_at : tokens.refresh_expires_at;
  if (text === undefined) return undefined;
  const end = Date.parse(text);
  return end - Math.min(7 * DAY_MS, (end - Date.parse(tokens.obtained_at)) / 10);
}

/** Once a day, each connection at its own time of day. */
function nextProbe(last: Date, connectionId: string): number {
  const offset = Math.floor(share(`probe/${connectionId}`) * PROBE_EVERY_MS);
  return (Math.floor((last.getTime() - offset) / PROBE_EVERY_MS) + 1) * PROBE_EVERY_MS + offset;
}
