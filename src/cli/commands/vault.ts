/**
 * `polyad vault`: master keys, where secrets lie, and the jobs over them. Works on the database itself, beside running
 * servers on Postgres; while a server holds the embedded database, it is asked through its API.
 */
import { readConfig } from '../../app/config-file.ts';
import type { VaultAdmin, VaultStatus } from '../../core/auth/secrets/admin.ts';
import { PolyadError } from '../../core/errors/index.ts';
import type { ManagedStore, VaultJobName } from '../../core/store/schema.ts';
import { type Client, connectTo, type TargetFlags } from '../client.ts';
import { CliError, EXIT, usage } from '../errors.ts';
import { type Format, print, readFormat } from '../output.ts';
import { stderrStyle } from '../terminal.ts';

export interface VaultFlags extends TargetFlags {
  output?: string;
}

export interface RotateFlags extends VaultFlags {
  newKey?: boolean;
  reencrypt?: boolean;
  stop?: boolean;
}

export interface MigrateFlags extends VaultFlags {
  to?: string;
  stop?: boolean;
}

/** How often a server is asked how far a job is, in ms. */
const POLL_MS = 500;

type Way = { admin: VaultAdmin; client?: undefined } | { client: Client; admin?: undefined };

/** Opens the vault here, or finds the server that holds the database, and closes what was opened. */
async function withVault<T>(flags: VaultFlags, work: (way: Way) => Promise<T>): Promise<T> {
  // Whoever names a server means it.
  if (flags.server !== undefined) return work({ client: await connectTo(flags) });
  const config = await readConfig(process.env, { POLYAD_DATA_DIR: flags.dataDir });
  const { createLog } = await import('../../app/log.ts');
  const { openVault } = await import('../../app/secrets.ts');
  const { systemClock } = await import('../../core/clock.ts');
  const { openStore } = await import('../../core/store/port.ts');
  const log = createLog(config.logLevel === 'debug' ? 'debug' : 'error');
  let store: Awaited<ReturnType<typeof openStore>>;
  try {
    store = await openStore({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
  } catch (error) {
    if (!(error instanceof PolyadError) || error.code !== 'store_directory_in_use') throw error;
    return work({ client: await connectTo(flags) });
  }
  try {
    const vault = await openVault({ config, store, clock: systemClock, log }, { server: false });
    try {
      return await work({ admin: vault.admin });
    } finally {
      await vault.close();
    }
  } finally {
    await store.close();
    log.finish();
  }
}

const statusOf = ({ admin, client }: Way): Promise<VaultStatus> =>
  admin !== undefined ? admin.status() : (client as Client).json<VaultStatus>('/v1/vault');

/** Prints the state: JSON as it is, a table for people in parts. */
function show(status: VaultStatus, format: Format): void {
  if (format !== 'table') {
    print(status, format);
    return;
  }
  print(
    {
      'new secrets go to': status.place,
      'waiting for a manager': status.waiting,
      'to destroy': status.to_destroy,
      ...status.managed,
    },
    format,
  );
  print(status.keys, format, ['id', 'state', 'secrets', 'first_used_at', 'retired_at', 'wrapped_by', 'missing_on']);
  if (status.jobs.length > 0)
    print(status.jobs, format, ['name', 'target', 'state', 'done', 'failed', 'started_at', 'finished_at', 'error']);
  if (status.nodes.length > 0) print(status.nodes, format, ['id', 'active_key']);
}

export async function status(flags: VaultFlags): Promise<void> {
  const format = readFormat(flags.output);
  show(await withVault(flags, statusOf), format);
}

/** Runs a job to its end, wherever; Ctrl-C stops it so that it can be gone on with. */
async function runJob(
  way: Way,
  name: VaultJobName,
  options: { to?: string; newKey?: boolean },
): Promise<VaultStatus['jobs'][number]> {
  const interrupted = new AbortController();
  const onSignal = (): void => interrupted.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    if (way.admin !== undefined) {
      if (options.newKey === true) await way.admin.newKey();
      await way.admin.run({
        name,
        to: options.to as ManagedStore | 'vault' | undefined,
        signal: interrupted.signal,
        progress: ({ done, failed, left }) => tell(`${name}: ${done} done, ${failed} failed, ${left} left`),
      });
    } else {
      await way.client.send('/v1/vault/jobs', {
        method: 'POST',
        body: {
          name,
          ...(options.to === undefined ? {} : { to: options.to }),
          ...(options.newKey === true ? { new_key: true } : {}),
        },
      });
      for (let asked = false; ; ) {
        const job = jobOf(await statusOf(way), name);
        if (job.state !== 'running' && job.state !== 'stopping') break;
        tell(`${name}: ${job.done} done, ${job.failed} failed`);
        if (interrupted.signal.aborted && !asked) {
          asked = true;
          await way.client.send('/v1/vault/jobs', { method: 'DELETE' });
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
    return jobOf(await statusOf(way), name);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    if (process.stderr.isTTY) process.stderr.write('\n');
  }
}

const tell = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${stderrStyle().dim(line)}`);
};

function jobOf(status: VaultStatus, name: VaultJobName): VaultStatus['jobs'][number] {
  const job = status.jobs.find((one) => one.name === name);
  if (job === undefined) throw new CliError(`No job ${name} was ever started.`);
  return job;
}

/** A job that is not through makes the command fail, with the reason. */
function judge(job: VaultStatus['jobs'][number], format: Format): void {
  print(job, format);
  if (job.state === 'done') return;
  throw new CliError(
    job.state === 'failed'
      ? `${job.failed} secrets could not be done and are as they were. Last: ${job.error ?? 'unknown'}`
      : `The job was stopped after ${job.done} secrets${job.error === undefined ? '' : `: ${job.error}`}.`,
    {
      exitCode: EXIT.failed,
      code: `vault_job_${job.state}`,
      fix: 'Run the same command again: it goes on where it stopped.',
    },
  );
}

async function stopJobs(flags: VaultFlags, names: VaultJobName[], format: Format): Promise<void> {
  await withVault(flags, async (way) => {
    if (way.admin !== undefined) await way.admin.stop(names);
    else await way.client.send('/v1/vault/jobs', { method: 'DELETE' });
    show(await statusOf(way), format);
  });
}

export async function rotate(flags: RotateFlags): Promise<void> {
  const format = readFormat(flags.output);
  const names: VaultJobName[] = ['rotate', 'reencrypt'];
  if (flags.stop === true) return stopJobs(flags, names, format);
  const job = await withVault(flags, async (way) => {
    const rotated = await runJob(way, 'rotate', { newKey: flags.newKey === true });
    return flags.reencrypt === true && rotated.state === 'done' ? runJob(way, 'reencrypt', {}) : rotated;
  });
  judge(job, format);
}

const PLACES = ['vault', 'aws', 'azure', 'gcp'];

export async function migrate(flags: MigrateFlags): Promise<void> {
  const format = readFormat(flags.output);
  if (flags.stop === true) return stopJobs(flags, ['migrate'], format);
  if (flags.to === undefined || !PLACES.includes(flags.to))
    throw usage(`--to must name a store: ${PLACES.join(', ')}.`);
  const to = flags.to;
  judge(await withVault(flags, (way) => runJob(way, 'migrate', { to })), format);
}

/** Destroys what no row points at. */
export async function sweep(store: string, flags: VaultFlags): Promise<void> {
  const format = readFormat(flags.output);
  const removed = await withVault(flags, async ({ admin }) => {
    if (admin === undefined)
      throw new CliError('A server holds the embedded database.', { fix: 'Stop the server for this command.' });
    await admin.tidy();
    return admin.sweep(store as ManagedStore);
  });
  print({ store, removed }, format);
}
