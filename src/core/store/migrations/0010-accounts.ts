import type { Migration } from './migration.ts';

/** Businesses and ad accounts that a connection's user reaches, as they were read last. */
export const migration: Migration = {
  id: '0010-accounts',
  statements: [
    `create table accounts (
      connection_id text not null references connections (id) on delete cascade,
      id text not null,
      kind text not null check (kind in ('business', 'organization')),
      name text,
      owner_id text,
      node jsonb not null,
      lost_at timestamptz(3),
      lost_with text,
      seen_at timestamptz(3) not null,
      primary key (connection_id, kind, id)
    )`,
    'create index accounts_by_owner on accounts (connection_id, owner_id)',
    `create table account_trees (
      connection_id text primary key references connections (id) on delete cascade,
      read_at timestamptz(3) not null,
      gaps jsonb not null
    )`,
  ],
};
