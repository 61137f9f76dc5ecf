import type { Migration } from './migration.ts';

/** Who may do what: spending and lists of connections on keys, sessions that can be ended, and the audit log. */
export const migration: Migration = {
  id: '0004-access',
  statements: [
    // Keys made before there was a scope for spending could spend, and still can.
    `alter table api_keys
      add column connection_ids text[],
      add column rotated_from text`,
    `update api_keys set scopes = array_append(scopes, 'spend')
      where 'write' = any(scopes) and not ('spend' = any(scopes))`,

    // The id is a hash of what the cookie holds.
    `create table dashboard_sessions (
      id text primary key,
      workspace_id text not null references workspaces (id) on delete cascade,
      key_id text not null references api_keys (id) on delete cascade,
      created_at timestamptz(3) not null,
      seen_at timestamptz(3) not null,
      expires_at timestamptz(3) not null
    )`,
    'create index dashboard_sessions_by_expiry on dashboard_sessions (expires_at)',
    'create index dashboard_sessions_by_key on dashboard_sessions (key_id)',

    // No foreign keys: what was done in a workspace stays known when the workspace is gone. The details are text, because the
    // hash is over its bytes.
    `create table audit_log (
      workspace_id text not null,
      seq integer not null,
      at timestamptz(3) not null,
      actor_kind text not null check (actor_kind in ('api_key', 'session', 'customer', 'system', 'console')),
      actor_id text,
      actor_name text,
      action text not null,
      object_type text,
      object_id text,
      connection_id text,
      outcome text not null,
      request_id text,
      ip_address text,
      details text not null,
      previous_hash text not null,
      hash text not null,
      primary key (workspace_id, seq)
    )`,
    'create index audit_log_by_at on audit_log (workspace_id, at)',
    `create table audit_heads (
      workspace_id text primary key,
      seq integer not null,
      hash text not null,
      seal text not null
    )`,

    // Nobody changes what was written, also not by mistake. (Who may alter tables can still do so: that is what the hashes
    // and the seal are for.)
    `create function polyad_keep_audit() returns trigger language plpgsql as $$
    begin
      raise exception 'the audit log is only ever added to';
    end $$`,
    `create trigger audit_log_keep before update or delete on audit_log
      for each row execute function polyad_keep_audit()`,
    `create trigger audit_log_keep_all before truncate on audit_log
      for each statement execute function polyad_keep_audit()`,
  ],
};
