import type { Migration } from './migration.ts';

/** What was called at platforms, counted, and what operators say and submit on the way to production access. */
export const migration: Migration = {
  id: '0012-launch',
  statements: [
    // outcome '' = answered as hoped, else the code of the error.
    `create table platform_usage (
      workspace_id text not null references workspaces (id) on delete cascade,
      integration_type text not null,
      environment text not null,
      operation text not null,
      outcome text not null,
      day date not null,
      calls bigint not null,
      primary key (workspace_id, integration_type, environment, day, operation, outcome)
    )`,
    `create table platform_minutes (
      workspace_id text not null references workspaces (id) on delete cascade,
      integration_type text not null,
      environment text not null,
      minute timestamptz(3) not null,
      calls bigint not null,
      primary key (workspace_id, integration_type, environment, minute)
    )`,
    `create table launch_answers (
      workspace_id text not null references workspaces (id) on delete cascade,
      integration_type text not null,
      key text not null,
      value jsonb not null,
      answered_at timestamptz(3) not null,
      answered_by text not null,
      primary key (workspace_id, integration_type, key)
    )`,
    `create table launch_submissions (
      id text primary key,
      workspace_id text not null references workspaces (id) on delete cascade,
      integration_type text not null,
      submitted_at timestamptz(3) not null,
      outcome text not null check (outcome in ('waiting', 'approved', 'refused')),
      outcome_at timestamptz(3),
      note text not null,
      snapshot jsonb not null
    )`,
    'create index launch_submissions_newest on launch_submissions (workspace_id, integration_type, submitted_at)',
  ],
};
