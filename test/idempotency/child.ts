/**
 * A server that kills itself (SIGKILL, as the kernel's out-of-memory killer would) when a write reaches a step.
 * Prints its address as one line of JSON. Not a test: `kill.test.ts` starts it.
 */
import { subscribe } from 'node:diagnostics_channel';
import { createLog } from '../../src/app/log.ts';
import { startApp } from '../../src/app/start.ts';
import { loadConfig } from '../../src/core/config.ts';
import { WRITE_CHANNEL, type WriteMessage } from '../../src/core/idempotency/steps.ts';

const { KILL_AT, CLOCK_OFFSET_MS = '0' } = process.env;
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

subscribe(WRITE_CHANNEL, (message) => {
  if ((message as WriteMessage).step === KILL_AT) die();
});
// Between two steps of ours the request is on the wire.
subscribe('undici:request:bodySent', (message) => {
  const { request } = message as { request: { path: string } };
  if (KILL_AT === 'on the wire' && request.path.includes('campaign/create')) die();
});
subscribe('undici:request:headers', (message) => {
  const { request } = message as { request: { path: string } };
  if (KILL_AT === 'the answer begins' && request.path.includes('campaign/create')) die();
});

const offset = Number(CLOCK_OFFSET_MS);
const app = await startApp({
  config: loadConfig(process.env),
  clock: {
    now: () => new Date(Date.now() + offset),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  },
  log: createLog('silent'),
});
process.stdout.write(`${JSON.stringify({ url: app.url })}\n`);
process.on('SIGTERM', () => void app.close(1_000).then(() => process.exit(0)));
