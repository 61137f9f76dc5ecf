import type { Migration } from './migration.ts';

/** Reports made in the background: jobs, their pieces, the rows kept of closed days, and apps that may not use tasks. */
export const migration: Migration = {
  id: '0008-report-jobs',
  statements: [
    `create table report_jobs (
      id text primary key,
      workspace_id text not null references workspaces (id) on delete cascade,
      connection_id text not null,
      query jsonb not null,
      format text not null check (format in ('ndjson', 'csv', 'parquet')),
      route text not null check (route in ('auto', 'tasks', 'calls')),
      cache boolean not null,
      priority text not null,
      state text not null check (state in ('waiting', 'running', 'done', 'failed', 'canceled')),
      cancel_asked boolean not null default false,
      plan jsonb,
      attempts integer not null default 0,
      run_after timestamptz(3),
      holder text,
      lease_until timestamptz(3),
      file text,
      rows double precision,
      bytes double precision,
      error jsonb,
      request_id text,
      created_at timestamptz(3) not null,
      started_at timestamptz(3),
      finished_at timestamptz(3),
      expires_at timestamptz(3)
    )`,
    'create index report_jobs_by_workspace on report_jobs (workspace_id, created_at)',
    `create index report_jobs_open on report_jobs (created_at) where state in ('waiting', 'running')`,
    'create index report_jobs_expiring on report_jobs (expires_at) where expires_at is not null',

    // Rows of some days of one ad account, in a file; those of closed days outlive their job.
    `create table report_segments (
      id text primary key,
      workspace_id text not null,
      connection_id text not null,
      organization_id text not null,
      key text not null,
      start_date text not null,
      end_date text not null,
      file text not null,
      rows double precision not null,
      bytes double precision not null,
      kept boolean not null,
      checks jsonb,
      read_at timestamptz(3) not null,
      used_at timestamptz(3) not null
    )`,
    'create index report_segments_by_key on report_segments (key, start_date) where kept',
    'create index report_segments_by_use on report_segments (used_at) where kept',
    'create index report_segments_by_account on report_segments (connection_id, organization_id)',

    `create table report_chunks (
      job_id text not null references report_jobs (id) on delete cascade,
      number integer not null,
      organization_id text not null,
      start_date text not null,
      end_date text not null,
      closed boolean not null,
      state text not null check (state in ('waiting', 'done')),
      route text,
      task_id text,
      task_failures integer not null default 0,
      segment_id text,
      reused boolean not null default false,
      rows double precision,
      primary key (job_id, number)
    )`,
    'create index report_chunks_by_segment on report_chunks (segment_id) where segment_id is not null',

    `create table report_refusals (
      platform text not null,
      environment text not null,
      app text not null,
      code text not null,
      refused_at timestamptz(3) not null,
      primary key (platform, environment, app)
    )`,
  ],
};
