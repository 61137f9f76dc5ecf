/**
 * Tokens that came too late to be stored as the current ones: a node that lost its lease got a platform's answer after
 * another node had stored its own. Which of the two refresh tokens lives then, only the platform knows; so the late one is
 * kept, sealed, and tried before a grant is given up.
 */
import type { Db } from '../../store/schema.ts';
import { connectionOwner, type SealedTokens } from '../credentials.ts';
import type { SecretStore } from '../secret-store.ts';

/** Kind of the secret that holds rescued tokens. */
const RESCUED = 'tokens_rescued';
/** Most rescued tokens kept per connection, newest first. */
const KEPT = 5;

/** Keeps tokens that could not be stored as the current ones. */
export async function keepRescued(
  secrets: SecretStore,
  db: Db,
  connection: { workspace_id: string; id: string },
  tokens: SealedTokens,
  now: Date,
): Promise<void> {
  const owner = connectionOwner(connection);
  for (let attempt = 1; ; attempt += 1) {
    const stored = await secrets.get(db, owner, RESCUED);
    const before = (stored?.plain['tokens'] ?? []) as SealedTokens[];
    const kept = [tokens, ...before.filter((one) => one.refresh_token !== tokens.refresh_token)].slice(0, KEPT);
    try {
      await secrets.put(db, owner, RESCUED, { tokens: kept }, { version: stored?.version ?? 0, now });
      return;
    } catch (error) {
      if (attempt >= 5 || (error as { code?: string }).code !== 'record_conflict') throw error;
    }
  }
}

/** Rescued tokens of the same authorization as `current`, newest first. */
export async function rescuedTokens(
  secrets: SecretStore,
  db: Db,
  connection: { workspace_id: string; id: string },
  current: SealedTokens,
): Promise<SealedTokens[]> {
  const stored = await secrets.get(db, connectionOwner(connection), RESCUED);
  const tokens = (stored?.plain['tokens'] ?? []) as SealedTokens[];
  return tokens.filter(
    (one) => one.authorized_at === current.authorized_at && one.refresh_token !== current.refresh_token,
  );
}

/** Forgets rescued tokens: they belong to an authorization that was replaced, or were tried. */
export async function dropRescued(
  secrets: SecretStore,
  db: Db,
  connection: { workspace_id: string; id: string },
): Promise<void> {
  await secrets.remove(db, connectionOwner(connection), RESCUED);
}
