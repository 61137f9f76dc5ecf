/**
 * Simulators in a thread of their own, so that a busy simulator (a large seed, a heavy report) never holds up the
 * process that uses it.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type HostOptions, startSimulators } from './host.ts';

/** Says which thread this is: another module's worker may import this one without becoming a host. */
const ROLE = 'polyad-simulators';

/** What a simulator in the thread tells about itself; the virtual clock is reached by its control API. */
export interface SimulatorInfo {
  id: string;
  url: string;
  controlUrl: string;
  ready: Record<string, unknown>;
}

/** The thread and what listens in it. */
export interface SimulatorThread {
  /** By id. */
  simulators: Record<string, SimulatorInfo>;
  /** Closes the simulators and ends the thread. */
  close(): Promise<void>;
}

type FromThread =
  | { type: 'ready'; simulators: Record<string, SimulatorInfo> }
  | { type: 'failed'; message: string }
  | { type: 'log'; line: string };

/**
 * Starts simulators in a worker thread.
 * @param options As for `startSimulators`.
 * @throws Error with the thread's message if one of them cannot start.
 */
export async function startSimulatorThread(options: HostOptions): Promise<SimulatorThread> {
  const { log, ...rest } = options;
  const worker = new Worker(new URL(import.meta.url), { workerData: { role: ROLE, options: rest } });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const simulators = await new Promise<Record<string, SimulatorInfo>>((resolve, reject) => {
    worker.on('message', (message: FromThread) => {
      if (message.type === 'ready') resolve(message.simulators);
      else if (message.type === 'failed') reject(new Error(message.message));
      else log?.(message.line);
    });
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the simulators' thread ended with code ${code}`)));
  });
  // From here on nobody waits on the promise above; a thread that dies must not take the process with it.
  worker.on('error', (error) => log?.(`the simulators' thread failed: ${error.message}`));
  return {
    simulators,
    async close() {
      worker.postMessage('close');
      await exited;
    },
  };
}

async function runThread(options: HostOptions): Promise<void> {
  const port = parentPort!;
  const send = (message: FromThread) => port.postMessage(message);
  try {
    const host = await startSimulators({ ...options, log: (line) => send({ type: 'log', line }) });
    port.once('message', async () => {
      await host.close();
      port.close();
    });
    const simulators = Object.fromEntries(
      Object.values(host.simulators).map(({ id, url, controlUrl, ready }) => [id, { id, url, controlUrl, ready }]),
    );
    send({ type: 'ready', simulators });
  } catch (error) {
    send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    port.close();
  }
}

const given = workerData as { role?: string; options?: HostOptions } | null;
if (!isMainThread && given?.role === ROLE && given.options) await runThread(given.options);
