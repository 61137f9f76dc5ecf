/**
 * Runs simulators alone: `node src/simulators/kit/main.ts [id ...]`.
 * `POLYAD_SIMULATOR_PORT` is the first port (default 8900, 0 = any free one), `POLYAD_DATA_DIR` the folder below which
 * state is kept in `simulators/` (memory only if unset). Prints one line of JSON on stdout when ready.
 */
import { join } from 'node:path';
import { startSimulators } from './host.ts';

const DEFAULT_PORT = 8900;

function readPort(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_PORT;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    process.stderr.write(`POLYAD_SIMULATOR_PORT must be a port number or 0, not "${text}"\n`);
    process.exit(1);
  }
  return port;
}

const ids = process.argv.slice(2);
const dataDir = process.env['POLYAD_DATA_DIR'];
try {
  const host = await startSimulators({
    port: readPort(process.env['POLYAD_SIMULATOR_PORT']),
    ...(ids.length > 0 ? { ids } : {}),
    ...(dataDir ? { dataDir: join(dataDir, 'simulators') } : {}),
    log: (line) => process.stderr.write(`${line}\n`),
  });
  const simulators = Object.fromEntries(
    Object.values(host.simulators).map(({ id, url, controlUrl, ready }) => [
      id,
      { url, control_url: controlUrl, ...ready },
    ]),
  );
  process.stdout.write(`${JSON.stringify({ simulators })}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void host.close().then(() => process.exit(0));
    });
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
