import type { Migration } from './migration.ts';

/** Writes at platforms, so that none is done twice, and the limits that a workspace sets to its spending. */
export const migration: Migration = {
  id: '0005-writes',
  statements: [
    // Like call-log rows, writes outlive their connection; a key is free again with its workspace.
    `create table writes (
      id text primary key,
      workspace_id text not null references workspaces (id) on delete cascade,
      connection_id text not null,
      route text not null,
      key text,
      fingerprint text not null,
      request_token text not null,
      state text not null check (state in ('in_flight', 'unknown', 'done')),
      holder text,
      lease_until timestamptz(3),
      sent_at timestamptz(3),
      target text,
      marker text,
      platform_id text,
      status integer,
      answer jsonb,
      created_at timestamptz(3) not null,
      updated_at timestamptz(3) not null,
      unique (workspace_id, connection_id, route, key)
    )`,
    'create index writes_by_platform_id on writes (target, platform_id) where platform_id is not null',
    `create index writes_open on writes (target, marker) where state <> 'done'`,
    `create index writes_held on writes (holder) where state = 'in_flight'`,
    'create index writes_by_age on writes (created_at)',

    // organization_id '' = every ad account of the workspace.
    `create table spend_guards (
      workspace_id text not null references workspaces (id) on delete cascade,
      integration_type text not null,
      organization_id text not null,
      rules jsonb not null,
      updated_at timestamptz(3) not null,
      primary key (workspace_id, integration_type, organization_id)
    )`,
  ],
};
