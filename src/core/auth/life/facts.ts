/** What is said of connections, of tokens and their end: classifications, event payloads, what a renewal shows. */
import type { Classification } from '../../connector/types.ts';
import type { ConnectionRow } from '../../store/schema.ts';
import type { SealedTokens } from '../credentials.ts';
import { DAY_MS } from './state.ts';

/** What is told when a rotating refresh token was used and its successor never arrived. */
const LOST_WORDS =
  'The platform has most likely renewed the authorization before, but its answer never arrived (a connection or a process broke off), and the refresh token works once only.';

/** A refusal that follows a lost answer says so. */
export function withLostAnswer(failure: Classification): Classification {
  const message = [failure.native.message, LOST_WORDS].filter((part) => part !== undefined).join(' ');
  return { ...failure, native: { ...failure.native, message } };
}

/** How an authorization that has run out is told. */
export function endedBy(tokens: SealedTokens, now: Date): Classification {
  const ended = tokens.refresh_expires_at !== undefined && Date.parse(tokens.refresh_expires_at) <= now.getTime();
  return {
    code: 'connection_reconnect_required',
    retry: 'never',
    scope: 'connection',
    native: {
      message: ended
        ? `The authorization ended on ${tokens.refresh_expires_at}.`
        : 'The access token has expired and there is nothing to renew it with.',
    },
  };
}

/** What every event of a connection says besides its type. */
export function eventFacts(row: ConnectionRow): Record<string, unknown> {
  return { integration_type: row.integration_type, environment: row.environment, external_xref: row.external_xref };
}

/** What the event `connection.reauthorization_due` says. */
export function dueFacts(row: ConnectionRow, now: Date, more: Record<string, unknown> = {}): Record<string, unknown> {
  const end = row.reauthorize_by;
  return {
    ...eventFacts(row),
    ends_at: end?.toISOString() ?? null,
    days_left: end === null ? null : Math.max(0, Math.ceil((end.getTime() - now.getTime()) / DAY_MS)),
    ...more,
  };
}

/** Whether a renewal moved the end of the refresh token; undefined = it does not show. Seconds are rounding. */
export function endMoves(before: SealedTokens, after: SealedTokens): boolean | undefined {
  if (before.refresh_expires_at === undefined || after.refresh_expires_at === undefined) return undefined;
  // Whoever renews within a minute of authorising learns nothing.
  if (Date.parse(after.obtained_at) - Date.parse(before.obtained_at) < 60_000) return undefined;
  return Date.parse(after.refresh_expires_at) - Date.parse(before.refresh_expires_at) > 30_000;
}
