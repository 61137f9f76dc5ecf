/** `polyad start`: the server with its simulators and the demo workspace. */
import { readConfig } from '../../app/config-file.ts';
import type { App } from '../../app/start.ts';
import { keepHeapSmall } from '../heap.ts';
import { stderrStyle, stdoutStyle } from '../terminal.ts';

export interface StartFlags {
  json?: boolean;
  role?: string;
  port?: string;
  host?: string;
  dataDir?: string;
  simulatorPort?: string;
  publicUrl?: string;
  logLevel?: string;
  /** False: `--no-demo`. */
  demo: boolean;
  /** False: `--no-simulators`. */
  simulators: boolean;
}

/** One Ctrl-C can arrive twice, from the terminal and from npm: signals that follow sooner than this, in ms, are the same. */
const SAME_SIGNAL_MS = 500;
/** How often the parent process is looked for, in ms. */
const PARENT_CHECK_MS = 500;

/** Flags as the variables that they stand for. */
export const startVariables = (flags: StartFlags): Record<string, string | undefined> => ({
  POLYAD_ROLE: flags.role,
  POLYAD_PORT: flags.port,
  POLYAD_HOST: flags.host,
  POLYAD_DATA_DIR: flags.dataDir,
  POLYAD_SIMULATOR_PORT: flags.simulatorPort,
  POLYAD_PUBLIC_URL: flags.publicUrl,
  POLYAD_LOG_LEVEL: flags.logLevel,
  POLYAD_SIMULATORS: flags.simulators ? undefined : 'off',
});

/** Starts, says that it is ready, and stays until a signal comes. */
export async function start(flags: StartFlags): Promise<void> {
  const begun = performance.now();
  const stop = new Stopper();
  const env = { ...process.env };
  // A person at a terminal reads the banner; lines of JSON about the ordinary would only hide it.
  if (flags.json !== true && process.stderr.isTTY) env['POLYAD_LOG_LEVEL'] ??= 'warn';
  const config = await readConfig(env, startVariables(flags));
  const production = process.env['NODE_ENV'] === 'production';

  const { startApp } = await import('../../app/start.ts');
  const { createLog } = await import('../../app/log.ts');
  const log = createLog(config.logLevel);
  process.once('exit', () => log.finish());
  // What Node would print of a failure that nobody caught is not redacted; what the log prints is.
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error, origin }, 'an unexpected failure ends the server');
    log.finish();
    process.exit(1);
  });
  // Diagnostic reports hold the environment, those of worker threads too, which inherit it.
  process.report.excludeEnv = true;
  const { SECRET_VARIABLES } = await import('../../core/config.ts');
  for (const name of SECRET_VARIABLES) delete process.env[name];
  if (flags.json !== true && process.stderr.isTTY) process.stderr.write(stderrStyle().dim('Starting polyad …\n'));
  const app = await startApp({ config, log });
  stop.arm(app);

  const { banner, readyLine } = await import('../../app/ready.ts');
  const demo =
    flags.demo && !production && config.role === 'all'
      ? await (await import('../../app/demo.ts')).openDemo(app).catch(stop.andThrow)
      : undefined;
  if (stop.stopping) return;
  keepHeapSmall();
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify(readyLine(app, demo))}\n`
      : `${banner(app, demo, stdoutStyle(), performance.now() - begun)}\n`,
  );
}

/** Ends the process in good order: on a signal, or when whoever started it is gone. */
class Stopper {
  #app: App | undefined;
  #signalledAt: number | undefined;
  stopping = false;

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#signal(signal));
    // A closed terminal stops what was started in it; what was sent to a file or the background (nohup) goes on.
    const inTerminal = process.stdout.isTTY === true;
    process.on('SIGHUP', () => {
      if (inTerminal) this.#signal('SIGHUP');
    });
    // Output that nobody reads any more is no reason to die in the middle of requests.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
    this.#watchParent();
  }

  arm(app: App): void {
    this.#app = app;
    // A signal that came while parts were still starting.
    if (this.stopping) void this.#end(0);
  }

  /** For a failure after the start: stops what runs, then lets the failure go on. */
  readonly andThrow = async (error: unknown): Promise<never> => {
    this.stopping = true;
    await this.#app?.close(0);
    throw error;
  };

  #signal(signal: NodeJS.Signals): void {
    const now = performance.now();
    if (this.#signalledAt !== undefined) {
      if (now - this.#signalledAt >= SAME_SIGNAL_MS) process.exit(signal === 'SIGINT' ? 130 : 143);
      return;
    }
    this.#signalledAt = now;
    if (process.stderr.isTTY) process.stderr.write('\nStopping; again to stop at once.\n');
    this.#stop();
  }

  #stop(): void {
    this.stopping = true;
    if (this.#app !== undefined) void this.#end(0);
  }

  async #end(code: number): Promise<void> {
    await this.#app?.drain();
    await this.#app?.close();
    process.exit(code);
  }

  /**
   * npm can be killed without telling its child. An orphan would keep the port and the directory's lock, so it ends when
   * its parent is another process than at the start. Only under npm and bin/polyad.mjs: daemons lose their parent on purpose.
   */
  #watchParent(): void {
    if (process.env['npm_lifecycle_event'] === undefined && process.env['POLYAD_WRAPPED'] === undefined) return;
    const parent = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      this.#stop();
    }, PARENT_CHECK_MS);
    timer.unref();
  }
}
