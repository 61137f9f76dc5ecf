/**
 * Preloaded into a process under test (`node --import`): how long its event loop was held up. On a loaded machine the
 * clock also counts the time that others ran, so beside it stands the CPU time that the main thread itself used between
 * two turns of the loop, which nobody else can lengthen.
 *
 * Sends `{ delayP99Ms, delayP999Ms, delayMaxMs, turnP999Ms, turnMaxMs, turns, heapMb }` over IPC for every message `loop`, and begins anew.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

type ThreadCpu = (this: NodeJS.Process) => { user: number; system: number };
const usage = (process as unknown as { threadCpuUsage?: ThreadCpu }).threadCpuUsage ?? process.cpuUsage;
const cpuMs = (): number => {
  const { user, system } = usage.call(process);
  return (user + system) / 1000;
};

const delay = monitorEventLoopDelay({ resolution: 1 });
let turns: number[] = [];
let last = 0;
let measuring = false;

function turn(): void {
  if (!measuring) return;
  const now = cpuMs();
  turns.push(now - last);
  last = cpuMs();
  // The check phase comes once in a turn; an immediate made there runs in the next one.
  setImmediate(turn).unref();
}

const at = (values: readonly number[], q: number): number =>
  values[Math.min(values.length - 1, Math.floor(q * values.length))] ?? 0;

process.on('message', (message) => {
  if (message === 'loop-begin') {
    measuring = true;
    turns = [];
    last = cpuMs();
    delay.reset();
    delay.enable();
    setImmediate(turn);
  }
  if (message !== 'loop') return;
  measuring = false;
  delay.disable();
  const sorted = turns.sort((a, b) => a - b);
  process.send?.({
    delayP99Ms: delay.percentile(99) / 1e6,
    delayP999Ms: delay.percentile(99.9) / 1e6,
    delayMaxMs: delay.max / 1e6,
    turnP999Ms: at(sorted, 0.999),
    turnMaxMs: sorted.at(-1) ?? 0,
    turns: sorted.length,
    heapMb: process.memoryUsage().heapUsed / 1024 ** 2,
  });
  turns = [];
});
// The parent's end must not hold this process open.
process.channel?.unref();
