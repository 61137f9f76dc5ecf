/** What a number was measured on, and how much others disturbed it. Linux: read from /proc. */
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** The machine, for the head of a result. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryMb: number;
  kernel: string;
  node: string;
}

export function machine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryMb: Math.round(totalmem() / 1024 ** 2),
    kernel: release(),
    node: process.version,
  };
}

/** Clock ticks of /proc per second: fixed at 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds (user and system, all threads) that a process has used; 0 when it is gone. */
export function cpuSeconds(pid: number | 'self'): number {
  try {
    // The name in parentheses may hold blanks; utime and stime are the 12th and 13th after it.
    const rest = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(rest[11]) + Number(rest[12])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** Resident memory of a process in MB: now, and the most it ever was. */
export function memoryMb(pid: number | 'self'): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return { now: kilobytes('VmRSS') / 1024, peak: kilobytes('VmHWM') / 1024 };
}

/** Lets a process's peak begin anew at its present size. */
export async function resetPeak(pid: number): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => undefined);
}

function busySeconds(): number {
  const [user, nice, system, , , irq, softirq, steal] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '')
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return [user, nice, system, irq, softirq, steal].reduce<number>((sum, one) => sum + (one ?? 0), 0) / TICKS_PER_SECOND;
}

/**
 * Share of the whole machine's CPU that went to others while `work` ran: everything that was busy, less what the given
 * processes used. 0 = quiet, 1 = all cores were taken by others.
 */
export class Noise {
  readonly #pids: readonly (number | 'self')[];
  readonly #begun = performance.now();
  readonly #busy = busySeconds();
  readonly #own: number;

  constructor(pids: readonly (number | 'self')[]) {
    this.#pids = ['self', ...pids];
    this.#own = this.#sum();
  }

  #sum(): number {
    return this.#pids.reduce<number>((sum, pid) => sum + cpuSeconds(pid), 0);
  }

  share(): number {
    const seconds = (performance.now() - this.#begun) / 1000;
    const foreign = busySeconds() - this.#busy - (this.#sum() - this.#own);
    return Math.min(1, Math.max(0, foreign / (seconds * cpus().length)));
  }
}
