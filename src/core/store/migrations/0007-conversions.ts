import type { Migration } from './migration.ts';

/**
 * Conversion events: where they go, what waits to be sent, and what became of each. What is sent lies in chunks (events
 * that were accepted together), so that taking, sending and finishing a thousand events writes a few rows and not a
 * thousand; the row of an event is written once, and again only when its fate differs from that of its chunk.
 */
export const migration: Migration = {
  id: '0007-conversions',
  statements: [
    'alter table secrets drop constraint secrets_owner_kind_check',
    `alter table secrets add constraint secrets_owner_kind_check
      check (owner_kind in ('integration', 'connection', 'destination'))`,

    // num: what the rows of events refer to, shorter than the id.
    `create table conversion_destinations (
      id text primary key,
      num bigint generated always as identity unique,
      workspace_id text not null references workspaces (id) on delete cascade,
      connection_id text,
      integration_type text not null,
      environment text not null,
      source text not null,
      source_id text not null,
      name text,
      credential_kind text not null,
      credential_fingerprint text,
      require_consent boolean not null default false,
      batch_delay_ms integer not null,
      is_paused boolean not null default false,
      failures integer not null default 0,
      hold_until timestamptz(3),
      problem jsonb,
      last_sent_at timestamptz(3),
      created_at timestamptz(3) not null,
      updated_at timestamptz(3) not null,
      deleted_at timestamptz(3)
    )`,
    `create unique index conversion_destinations_one on conversion_destinations
      (workspace_id, integration_type, environment, source, source_id) where deleted_at is null`,
    'create index conversion_destinations_by_connection on conversion_destinations (connection_id)',
    `create index conversion_destinations_by_credential on conversion_destinations (credential_fingerprint)
      where credential_fingerprint is not null`,
    `create function polyad_drop_destination_secrets() returns trigger language plpgsql as $$
    begin
      delete from secrets where owner_kind = 'destination' and owner_id = old.id and workspace_id = old.workspace_id;
      delete from conversion_events where destination = old.num;
      delete from conversion_chunks where destination = old.num;
      return null;
    end $$`,
    `create trigger conversion_destinations_drop_secrets after delete on conversion_destinations
      for each row execute function polyad_drop_destination_secrets()`,

    // payload: one line of JSON per event, in the order of their positions; null as soon as all have their fate.
    // count: events whose fate is that of the chunk.
    `create table conversion_chunks (
      id bigint generated always as identity primary key,
      destination bigint not null,
      count integer not null,
      oldest timestamptz(3) not null,
      test_code text,
      payload text,
      batch bigint,
      holder text,
      lease_until timestamptz(3),
      attempts integer not null default 0,
      created_at timestamptz(3) not null,
      done_at timestamptz(3)
    )`,
    'create index conversion_chunks_waiting on conversion_chunks (destination, id) where done_at is null',
    'create index conversion_chunks_by_batch on conversion_chunks (batch) where done_at is null and batch is not null',
    'create index conversion_chunks_held on conversion_chunks (holder) where done_at is null and holder is not null',
    'create index conversion_chunks_by_age on conversion_chunks (created_at)',
    'create index conversion_chunks_by_destination on conversion_chunks (destination)',

    // key: digest of event name and event id. state: null = as its chunk. position: line of the chunk's payload, null =
    // it has none there.
    `create table conversion_events (
      id bigint generated always as identity,
      destination bigint not null,
      key uuid not null,
      chunk bigint not null,
      position smallint,
      event text not null,
      event_id text not null,
      occurred_at timestamptz(3) not null,
      state text check (state in ('refused', 'withheld', 'expired')),
      reason_code text,
      reason text,
      payload text,
      duplicates integer not null default 0,
      updated_at timestamptz(3),
      primary key (destination, id)
    )`,
    'create unique index conversion_events_key on conversion_events (destination, key)',
    'create index conversion_events_by_chunk on conversion_events (chunk, position)',
    'create index conversion_events_by_state on conversion_events (destination, state, id) where state is not null',
    'create index conversion_events_kept on conversion_events (updated_at) where payload is not null',
  ],
};
