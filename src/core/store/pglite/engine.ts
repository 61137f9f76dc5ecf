/** The embedded engine with what this program knows about running it. */
import { setFlagsFromString } from 'node:v8';
import { PGlite } from '@electric-sql/pglite';

const SETTINGS = [
  // The engine touches all of its buffers when it opens, and the default is 128 MB of them. What it reads beyond them is
  // in the page cache of the system.
  'shared_buffers=32MB',
  // ANALYZE reads 300 rows for each of these, and nobody else is served while it does. Of a call log with 100,000 rows it
  // then takes 20 ms instead of the 220 ms of the default of 100; of a million rows, 30.
  'default_statistics_target=10',
];

/**
 * WebAssembly functions whose first call comes while this is set are never optimised: V8 decides it when it makes their
 * first, plain code. No function of the engine has the number 0: that is an import.
 */
const OPTIMISE_NONE = '--wasm-tier-up-filter=0';
const OPTIMISE_ALL = '--wasm-tier-up-filter=-1';

/**
 * The parser of SQL is one function of 105 kB. Soon after every start V8 would take 600 MB and most of a second of a core
 * to optimise it, and no statement was measurably faster for that: so its first call, and as little as possible besides,
 * is made while nothing is optimised. An engine or a V8 that works otherwise starts as it would without this.
 */
class Engine extends PGlite {
  /** The first step of the engine's start that reads SQL. */
  override async _initArrayTypes(options?: { force?: boolean }): Promise<void> {
    setFlagsFromString(OPTIMISE_NONE);
    try {
      await this.exec(';');
    } finally {
      setFlagsFromString(OPTIMISE_ALL);
    }
    await super._initArrayTypes(options);
  }
}

/** Opens the cluster in `directory`, or makes one there. */
export async function openEngine(directory: string): Promise<PGlite> {
  const engine = new Engine(directory, {
    startParams: [...PGlite.defaultStartParams, ...SETTINGS.flatMap((setting) => ['-c', setting])],
  });
  await engine.waitReady;
  return engine;
}
