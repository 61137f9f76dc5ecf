import { createHash } from 'node:crypto';
import type { Db } from '../schema.ts';

/** SHA-256 over platform and token. A plain hash suffices because tokens are long and random. */
export const tokenFingerprint = (type: string, token: string): string =>
  createHash('sha256').update(`${type}\u0000${token}`).digest('hex');

/** Environments of those tokens that were seen before. Not scoped to a workspace: a token has one origin for all. */
export async function originsOfTokens(db: Db, type: string, tokens: readonly string[]): Promise<string[]> {
  if (tokens.length === 0) return [];
  const rows = await db
    .selectFrom('token_origins')
    .select('environment')
    .where(
      'fingerprint',
      'in',
      tokens.map((token) => tokenFingerprint(type, token)),
    )
    .execute();
  return rows.map((row) => row.environment);
}

/** Remembers where tokens come from; the first origin of a token stays. */
export async function rememberTokenOrigins(
  db: Db,
  type: string,
  environment: string,
  tokens: readonly string[],
  now: Date = new Date(),
): Promise<void> {
  if (tokens.length === 0) return;
  await db
    .insertInto('token_origins')
    .values(tokens.map((token) => ({ fingerprint: tokenFingerprint(type, token), environment, created_at: now })))
    .onConflict((conflict) => conflict.column('fingerprint').doNothing())
    .execute();
}
