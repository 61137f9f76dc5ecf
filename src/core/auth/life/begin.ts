/** How the life of newly authorised tokens begins: with a schedule, and without what was known of the ones before. */
import type { Platform } from '../../connector/types.ts';
import { noteLife, updateTokenLife } from '../../store/repositories/index.ts';
import type { ConnectionRow, Db } from '../../store/schema.ts';
import type { SealedTokens } from '../credentials.ts';
import type { SecretStore } from '../secret-store.ts';
import { type LifeRecord, planFacts, planFor } from './plan.ts';
import { dropRescued } from './rescue.ts';

/** A record without a past. */
export const NEW_LIFE: LifeRecord = {
  failures: 0,
  refused_version: null,
  end_moves: null,
  warned_end: null,
  warned_days: null,
  probed_at: null,
};

/**
 * Plans the life of tokens that are being stored in the same transaction.
 *
 * @param version version of the tokens' secret.
 */
export async function beginLife(
  trx: Db,
  secrets: SecretStore,
  platform: Platform,
  row: ConnectionRow,
  tokens: SealedTokens,
  version: number,
  now: Date,
): Promise<void> {
  const plan = planFor(tokens, planFacts(platform, row, tokens, version, NEW_LIFE), now);
  // A token that is brought near its end is the sweep's to renew, at once.
  const next_at = plan.refresh ? now : plan.next;
  await updateTokenLife(trx, row.id, { ...NEW_LIFE, next_at, spending_version: null, spending_since: null });
  await noteLife(trx, row.id, { life: row.life, life_since: row.life_since, reauthorize_by: plan.end ?? null });
  if (version > 1) await dropRescued(secrets, trx, row);
}
