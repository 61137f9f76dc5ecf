import type { Migration } from './migration.ts';

/** Entries of platforms' webhooks that were handed on, so that none is twice: platforms send at least once. */
export const migration: Migration = {
  id: '0011-hooks',
  statements: [
    `create table hook_receipts (
      workspace_id text not null references workspaces (id) on delete cascade,
      digest text not null,
      received_at timestamptz(3) not null,
      primary key (workspace_id, digest)
    )`,
    'create index hook_receipts_by_age on hook_receipts (received_at)',
  ],
};
