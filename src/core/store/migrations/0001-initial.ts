import type { Migration } from './migration.ts';

/**
 * The first tables. Ids are text of 24 hexadecimal characters; api_calls and events carry no foreign key to connections
 * because they outlive them.
 */
export const migration: Migration = {
  id: '0001-initial',
  statements: [
    `create table workspaces (
      id text primary key,
      name text not null,
      default_environment text not null,
      settings jsonb not null default '{}',
      created_at timestamptz(3) not null,
      updated_at timestamptz(3) not null
    )`,

    `create table api_keys (
      id text primary key,
      workspace_id text not null references workspaces (id) on delete cascade,
      name text not null,
      prefix text not null,
      hash text not null unique,
      scopes text[] not null,
      created_at timestamptz(3) not null,
      last_used_at timestamptz(3),
      revoked_at timestamptz(3),
      expires_at timestamptz(3)
    )`,
    'create index api_keys_by_workspace on api_keys (workspace_id, created_at, id)',

    `create table integrations (
      id text primary key,
      workspace_id text not null references workspaces (id) on delete cascade,
      type text not null,
      environment text not null,
      is_active boolean not null,
      settings jsonb not null default '{}',
      created_at timestamptz(3) not null,
      updated_at timestamptz(3) not null,
      unique (workspace_id, type, environment)
    )`,

    `create table connections (
      id text primary key,
      workspace_id text not null references workspaces (id) on delete cascade,
      integration_type text not null,
      environment text not null,
      external_xref text,
      permissions text[] not null,
      categories text[] not null,
      is_paused boolean not null,
      native_scopes text[] not null,
      account jsonb not null default '{}',
      token_expires_at timestamptz(3),
      refresh_expires_at timestamptz(3),
      version integer not null,
      health_state text not null check (health_state in ('unknown', 'healthy', 'unhealthy', 'reconnect_required')),
      unhealthy_code text,
      unhealthy_message text,
      last_healthy_at timestamptz(3),
      last_unhealthy_at timestamptz(3),
      created_at timestamptz(3) not null,
      updated_at timestamptz(3) not null,
      deleted_at timestamptz(3)
    )`,
    'create index connections_by_created on connections (workspace_id, created_at, id) where deleted_at is null',
    'create index connections_by_updated on connections (workspace_id, updated_at, id) where deleted_at is null',
    'create index connections_by_xref on connections (workspace_id, external_xref) where deleted_at is null',
    'create index connections_by_token_expiry on connections (token_expires_at) where deleted_at is null and token_expires_at is not null',

    `create table secrets (
      id text primary key,
      workspace_id text not null references workspaces (id) on delete cascade,
      owner_kind text not null check (owner_kind in ('integration', 'connection')),
      owner_id text not null,
      kind text not null,
      version integer not null,
      key_id text not null,
      envelope jsonb not null,
      created_at timestamptz(3) not null,
      unique (owner_kind, owner_id, kind)
    )`,
    'create index secrets_by_workspace on secrets (workspace_id)',
    'create index secrets_by_key on secrets (key_id)',

    // Ids of the master keys that nodes have started with. Never the keys.
    `create table master_keys (
      id text primary key,
      first_used_at timestamptz(3) not null
    )`,

    `create table oauth_states (
      id text primary key,
      workspace_id text not null references workspaces (id) on delete cascade,
      type text not null,
      environment text not null,
      payload jsonb not null,
      browser_hash text not null,
      expires_at timestamptz(3) not null,
      used_at timestamptz(3)
    )`,
    'create index oauth_states_by_expiry on oauth_states (expires_at)',
    'create index oauth_states_by_workspace on oauth_states (workspace_id)',

    `create table api_calls (
      id text primary key,
      workspace_id text not null,
      connection_id text,
      integration_type text not null,
      environment text not null,
      method text not null,
      name text not null,
      path text not null,
      status text not null,
      type text not null check (type in ('login', 'webhook', 'inbound', 'mcp')),
      error text,
      size double precision,
      endapi_ms double precision,
      unified_ms double precision,
      ip_address text,
      user_agent text,
      external_xref text,
      request_id text,
      created_at timestamptz(3) not null
    )`,
    'create index api_calls_by_created on api_calls (workspace_id, created_at, id)',
    'create index api_calls_by_connection on api_calls (workspace_id, connection_id, created_at, id)',
    'create index api_calls_failed on api_calls (workspace_id, created_at, id) where error is not null',
    'create index api_calls_by_age on api_calls (created_at)',

    `create table events (
      id text primary key,
      workspace_id text not null references workspaces (id) on delete cascade,
      connection_id text,
      type text not null,
      payload jsonb not null default '{}',
      created_at timestamptz(3) not null
    )`,
    'create index events_by_created on events (workspace_id, created_at, id)',
    'create index events_by_connection on events (workspace_id, connection_id, created_at, id)',

    // Secrets belong to two kinds of owner, so no foreign key can remove them with an integration.
    `create function polyad_drop_integration_secrets() returns trigger language plpgsql as $$
    begin
      delete from secrets where owner_kind = 'integration' and owner_id = old.id and workspace_id = old.workspace_id;
      return null;
    end $$`,
    `create trigger integrations_drop_secrets after delete on integrations
      for each row execute function polyad_drop_integration_secrets()`,

    // The call log has no foreign key: one row of a workspace that has just been deleted must not fail a whole batch.
    `create function polyad_drop_workspace_calls() returns trigger language plpgsql as $$
    begin
      delete from api_calls where workspace_id = old.id;
      return null;
    end $$`,
    `create trigger workspaces_drop_calls after delete on workspaces
      for each row execute function polyad_drop_workspace_calls()`,

    // Whoever caches rows hears of changes from here, so no writer can forget to announce one, and none is announced
    // before it is committed. The schema is part of the message because channels belong to the whole database.
    `create function polyad_announce() returns trigger language plpgsql as $$
    begin
      perform pg_notify('polyad_invalidation',
        json_build_array(tg_table_schema, tg_argv[0], coalesce(new.id, old.id))::text);
      return null;
    end $$`,
    `create trigger workspaces_announce after insert or update or delete on workspaces
      for each row execute function polyad_announce('workspace')`,
    `create trigger integrations_announce after insert or update or delete on integrations
      for each row execute function polyad_announce('integration')`,
    `create trigger connections_announce after insert or update or delete on connections
      for each row execute function polyad_announce('connection')`,
    // Not for last_used_at, which changes all the time and matters to no cache.
    `create trigger api_keys_announce after insert or delete or update of name, hash, scopes, revoked_at, expires_at on api_keys
      for each row execute function polyad_announce('api_key')`,
  ],
};
