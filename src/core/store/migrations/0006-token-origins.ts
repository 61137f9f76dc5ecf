import type { Migration } from './migration.ts';

/** In which environment a token was issued, so that it is never sent to another one's host. Holds hashes alone. */
export const migration: Migration = {
  id: '0006-token-origins',
  statements: [
    `create table token_origins (
      fingerprint text primary key,
      environment text not null,
      created_at timestamptz(3) not null
    )`,
  ],
};
