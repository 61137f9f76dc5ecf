import type { Migration } from './migration.ts';

/**
 * Several master keys, jobs over all secrets, and secrets that live in a secret manager. A secret that lies there leaves a
 * reference as its `envelope`: `store`, `name` and `ref` (version) say where.
 */
export const migration: Migration = {
  id: '0002-vault',
  statements: [
    // `wrapped` is a master key under a key management service's key. It is of no use without that service.
    'alter table master_keys add column wrapped jsonb, add column retired_at timestamptz(3)',
    'alter table master_keys alter column first_used_at drop not null',

    // Which keys each running node can open secrets with, so that nobody writes what another cannot read.
    `create table vault_nodes (
      id text primary key,
      active_key text not null,
      key_ids text[] not null,
      seen_at timestamptz(3) not null
    )`,

    // One row per kind of job; it outlives the process that works on it.
    `create table vault_jobs (
      name text primary key check (name in ('rotate', 'reencrypt', 'migrate')),
      target text not null,
      state text not null check (state in ('running', 'stopping', 'stopped', 'done', 'failed')),
      cursor text not null,
      done integer not null,
      failed integer not null,
      error text,
      holder text,
      lease_until timestamptz(3),
      started_at timestamptz(3) not null,
      updated_at timestamptz(3) not null,
      finished_at timestamptz(3)
    )`,

    // What is to be destroyed in a secret manager: a whole secret, or with `ref` one version of it. Also what was begun
    // there and not yet recorded in `secrets`.
    `create table secret_tombstones (
      id bigint generated always as identity primary key,
      store text not null,
      name text not null,
      ref text,
      due_at timestamptz(3) not null
    )`,
    'create index secret_tombstones_by_due on secret_tombstones (due_at)',

    // However a row goes (also with its workspace), what it pointed at is not forgotten. An old version is kept for a day,
    // for whoever restores yesterday's database; a whole secret for as long as a reader may be on its way to it.
    `create function polyad_bury_secret() returns trigger language plpgsql as $$
    begin
      if old.envelope ->> 'store' is not null then
        if tg_op = 'DELETE' or new.envelope ->> 'name' is distinct from old.envelope ->> 'name' then
          insert into secret_tombstones (store, name, due_at)
            values (old.envelope ->> 'store', old.envelope ->> 'name', now() + interval '5 minutes');
        elsif new.envelope ->> 'ref' is distinct from old.envelope ->> 'ref' then
          insert into secret_tombstones (store, name, ref, due_at)
            values (old.envelope ->> 'store', old.envelope ->> 'name', old.envelope ->> 'ref', now() + interval '1 day');
        end if;
      end if;
      return null;
    end $$`,
    `create trigger secrets_bury after delete or update of envelope on secrets
      for each row execute function polyad_bury_secret()`,
    // Secrets that wait for their manager in the database.
    "create index secrets_waiting on secrets (id) where envelope ->> 'meant' is not null",
    "create index secrets_by_name on secrets ((envelope ->> 'name')) where envelope ->> 'store' is not null",
  ],
};
