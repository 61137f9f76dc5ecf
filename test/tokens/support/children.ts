/** Starts node processes and reads what they report. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ChildOrder, ChildReport } from './node-child.ts';

const CHILD = fileURLToPath(new URL('./node-child.ts', import.meta.url));

export interface Ended {
  /** Undefined when the process was killed. */
  report: ChildReport | undefined;
  signal: NodeJS.Signals | null;
  stderr: string;
}

export interface RunningChild {
  child: ChildProcess;
  ended: Promise<Ended>;
}

/** Starts one node process with its order. */
export function startChild(order: ChildOrder): RunningChild {
  const child = spawn(process.execPath, [CHILD], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  child.stdin?.end(`${JSON.stringify(order)}\n`);
  const ended = once(child, 'close').then(([, signal]) => ({
    report: output.stdout === '' ? undefined : (JSON.parse(output.stdout) as ChildReport),
    signal: signal as NodeJS.Signals | null,
    stderr: output.stderr,
  }));
  return { child, ended };
}
