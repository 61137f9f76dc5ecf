import type { Migration } from './migration.ts';

/** The life of tokens: its state on the connection, and beside it who refreshes, when to look again, what was warned of. */
export const migration: Migration = {
  id: '0003-token-life',
  statements: [
    `alter table connections
      add column life text not null default 'healthy' check (life in
        ('healthy', 'expiring', 'refreshing', 'degraded', 'reauthorization_due', 'revoked', 'paused')),
      add column life_since timestamptz(3),
      add column reauthorize_by timestamptz(3),
      add column lost_organizations jsonb not null default '{}'`,
    `update connections set life = case
      when health_state = 'reconnect_required' then 'revoked' when is_paused then 'paused' else 'healthy' end,
      life_since = updated_at`,

    // Apart from the connection, because it changes with every refresh and matters to no cache. Leases use the database's
    // clock, which is the same for all nodes; everything else is in the time of the application.
    `create table token_lives (
      connection_id text primary key references connections (id) on delete cascade,
      integration_type text not null,
      environment text not null,
      next_at timestamptz(3),
      failures integer not null default 0,
      spending_version integer,
      spending_since timestamptz(3),
      refused_version integer,
      end_moves boolean,
      warned_end timestamptz(3),
      warned_days integer,
      probed_at timestamptz(3),
      holder text,
      lease_until timestamptz
    )`,
    'create index token_lives_by_next on token_lives (next_at) where next_at is not null',
    `insert into token_lives (connection_id, integration_type, environment, next_at)
      select id, integration_type, environment, created_at from connections where deleted_at is null`,

    // Whoever makes a connection, its tokens are looked after.
    `create function polyad_begin_token_life() returns trigger language plpgsql as $$
    begin
      insert into token_lives (connection_id, integration_type, environment, next_at)
        values (new.id, new.integration_type, new.environment, new.created_at) on conflict do nothing;
      return null;
    end $$`,
    `create trigger connections_begin_token_life after insert on connections
      for each row execute function polyad_begin_token_life()`,

    // Token endpoints that do not answer: nobody's tokens are renewed there meanwhile, but for one try now and then.
    `create table token_outages (
      integration_type text not null,
      environment text not null,
      since timestamptz(3) not null,
      next_try_at timestamptz(3) not null,
      failures integer not null,
      primary key (integration_type, environment)
    )`,

    // Notes of health count no version, and only what counts one is news to caches.
    'drop trigger connections_announce on connections',
    `create trigger connections_announce after insert or delete on connections
      for each row execute function polyad_announce('connection')`,
    `create trigger connections_announce_change after update on connections
      for each row when (old.version is distinct from new.version) execute function polyad_announce('connection')`,
  ],
};
