import type { Migration } from './migration.ts';

/** Creators' authorizations that polyad keeps an eye on: when they end, what was warned of, when to look again. */
export const migration: Migration = {
  id: '0009-creators',
  statements: [
    `create table creator_authorizations (
      connection_id text not null references connections (id) on delete cascade,
      organization_id text not null,
      item_id text not null,
      workspace_id text not null,
      state text not null,
      ends_at timestamptz(3),
      next_at timestamptz(3),
      warned_end timestamptz(3),
      warned_days integer,
      told_end boolean not null default false,
      seen_at timestamptz(3) not null,
      primary key (connection_id, organization_id, item_id)
    )`,
    'create index creator_authorizations_by_next on creator_authorizations (next_at) where next_at is not null',
  ],
};
