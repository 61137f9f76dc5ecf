/**
 * The state machine of a connection's tokens, as a table. What happened is stored on the connection (`connections.life`);
 * what follows from the clock alone is added when it is shown (`shownLife`), so that no state is late because nobody
 * looked.
 *
 * | state | what it means | calls |
 * | --- | --- | --- |
 * | healthy | the tokens work, and nothing is to be done soon | go out |
 * | expiring | the access token has come near its end and its renewal has not begun | go out |
 * | refreshing | a renewal is under way | go out with the present token, or wait for the new one |
 * | degraded | the last renewal failed for a reason that says nothing about the grant; it is tried again | go out while the token lives |
 * | reauthorization_due | the authorization ends at a known time and only the customer can renew it | go out |
 * | revoked | the grant is gone | are refused here |
 * | paused | the workspace paused the connection | are refused here |
 */
import type { ConnectionRow, LifeState } from '../../store/schema.ts';

/** What may happen to a connection's tokens. */
export type LifeEvent =
  /** A renewal is needed and waits for its turn. */
  | 'renewal_needed'
  | 'renewal_begun'
  | 'renewed'
  /** It failed for a reason that says nothing about the grant: network, outage, quota, the operator's app. */
  | 'renewal_failed'
  /** The platform refuses to renew, while the access token still lives. */
  | 'renewal_refused'
  /** A known end has come near enough to warn. */
  | 'end_near'
  /** The known end has moved away. */
  | 'end_moved'
  /** The platform says that the grant is gone, or its known end has passed. */
  | 'grant_gone'
  /** The customer authorised again. */
  | 'authorized'
  | 'paused'
  /** No longer paused. What it resumes to is worked out from the facts (`restingState`). */
  | 'resumed';

const REST: Partial<Record<LifeEvent, LifeState>> = {
  renewal_needed: 'expiring',
  renewal_begun: 'refreshing',
  renewed: 'healthy',
  renewal_failed: 'degraded',
  renewal_refused: 'reauthorization_due',
  end_near: 'reauthorization_due',
  grant_gone: 'revoked',
  authorized: 'healthy',
  paused: 'paused',
};

/** State and event -> next state. What is not in the table changes nothing. */
export const TRANSITIONS: Readonly<Record<LifeState, Readonly<Partial<Record<LifeEvent, LifeState>>>>> = {
  healthy: REST,
  expiring: REST,
  refreshing: REST,
  degraded: REST,
  // A date that is set stays in sight while short-lived tokens go on being renewed under it.
  reauthorization_due: {
    end_moved: 'healthy',
    grant_gone: 'revoked',
    authorized: 'healthy',
    paused: 'paused',
  },
  // Only the customer brings it back; or an answer that was thought lost and turned up after all.
  revoked: { authorized: 'healthy', renewed: 'healthy' },
  // Renewed only where not renewing would lose the grant; that shows nowhere until it is resumed.
  paused: { grant_gone: 'revoked', resumed: 'healthy' },
};

/** All states, in the order of the table above. */
export const LIFE_STATES = Object.keys(TRANSITIONS) as readonly LifeState[];

/** The state after `event`. */
export function transition(state: LifeState, event: LifeEvent): LifeState {
  return TRANSITIONS[state][event] ?? state;
}

/** The facts of a row from which its state can be worked out. */
export type LifeFacts = Pick<
  ConnectionRow,
  'life' | 'life_since' | 'health_state' | 'is_paused' | 'token_expires_at' | 'reauthorize_by' | 'created_at'
>;

/** Days before a known end at which the customer is to be asked, and the connection shows it. */
export const WARNING_DAYS = [60, 30, 14, 7, 1] as const;
export const DAY_MS = 24 * 60 * 60_000;

/** A renewal that has been under way for longer than this has died with its process, in ms. */
export const STALE_REFRESH_MS = 2 * 60_000;

/** The state that follows from the facts alone, whatever was stored: for a connection that is no longer paused. */
export function restingState(row: LifeFacts, now: Date): LifeState {
  if (row.health_state === 'reconnect_required') return 'revoked';
  if (row.is_paused) return 'paused';
  const end = row.reauthorize_by?.getTime();
  if (end !== undefined && end - now.getTime() <= WARNING_DAYS[0] * DAY_MS) return 'reauthorization_due';
  if (row.token_expires_at !== null && row.token_expires_at <= now) return 'expiring';
  return 'healthy';
}

/** The state as it is shown: what is stored, corrected by what the clock alone decides. */
export function shownLife(row: LifeFacts, now: Date): LifeState {
  const resting = restingState(row, now);
  if (resting === 'revoked' || resting === 'paused') return resting;
  // The row knows better than what was stored of it before it was resumed or authorised again.
  const stored = row.life === 'revoked' || row.life === 'paused' ? 'healthy' : row.life;
  if (resting === 'reauthorization_due' || stored === 'reauthorization_due') return 'reauthorization_due';
  const since = row.life_since?.getTime() ?? 0;
  if (stored === 'refreshing' && now.getTime() - since > STALE_REFRESH_MS) return 'degraded';
  return stored === 'healthy' ? resting : stored;
}
