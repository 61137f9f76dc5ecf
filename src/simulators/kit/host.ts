import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { RunningSimulator, Simulator } from './types.ts';

const SIMULATORS = fileURLToPath(new URL('../', import.meta.url));
const KIT = 'kit';

/** Ids of all simulators there are: the folders beside the kit. */
export function simulatorIds(): string[] {
  return readdirSync(SIMULATORS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== KIT)
    .map((entry) => entry.name)
    .sort();
}

/** Loads one simulator. The file has the extension that this file has: `.ts` from source, `.js` when compiled. */
async function load(id: string): Promise<Simulator> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const module = (await import(pathToFileURL(join(SIMULATORS, id, `index.${extension}`)).href)) as {
    simulator?: Simulator;
  };
  if (!module.simulator) throw new Error(`simulators/${id}/index has no export "simulator"`);
  return module.simulator;
}

/** Where and which simulators to start. */
export interface HostOptions {
  /** All if absent. */
  ids?: readonly string[];
  /** The first one's port; the next ones take the ports after it. 0 = any free port for each. */
  port: number;
  host?: string;
  /** Each keeps its state in a folder of its own id below; memory only if absent. */
  dataDir?: string;
  log?: (line: string) => void;
}

/** Simulators that are listening together. */
export interface RunningHost {
  /** By id. */
  simulators: Record<string, RunningSimulator>;
  close(): Promise<void>;
}

/**
 * Starts simulators, each on its own port. If one cannot start, those already started are closed.
 * @throws Error for an id that no simulator has, or the error of the one that could not start.
 */
export async function startSimulators(options: HostOptions): Promise<RunningHost> {
  const known = simulatorIds();
  const ids = options.ids ?? known;
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0) throw new Error(`no simulator ${unknown.join(', ')}; there are ${known.join(', ')}`);
  const running: RunningSimulator[] = [];
  const close = async () => {
    await Promise.all(running.map((simulator) => simulator.close()));
  };
  try {
    for (const [i, id] of ids.entries()) {
      const simulator = await load(id);
      running.push(
        await simulator.start({
          port: options.port === 0 ? 0 : options.port + i,
          ...(options.host === undefined ? {} : { host: options.host }),
          ...(options.dataDir === undefined ? {} : { dataDir: join(options.dataDir, id) }),
          ...(options.log === undefined ? {} : { log: options.log }),
        }),
      );
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { simulators: Object.fromEntries(running.map((simulator) => [simulator.id, simulator])), close };
}
