import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What `store-child.ts` prints. */
export interface ChildLine {
  ready?: number;
  id?: string;
  version?: number;
  workspace?: string;
  failed?: string;
  message?: string;
  warn?: string;
  pid?: number;
}

/** Starts `store-child.ts` on a directory. `onLine` sees what it prints, in order. */
export function storeProcess(dataDir: string, task: 'hold' | 'write', onLine: (line: ChildLine) => void = () => {}) {
  const file = fileURLToPath(new URL('./store-child.ts', import.meta.url));
  const child = spawn(process.execPath, [file, dataDir, task], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: ChildLine[] = [];
  const ended = Promise.all([once(child, 'exit'), once(child.stdout, 'close')]);
  const first = new Promise<ChildLine>((resolve, reject) => {
    createInterface(child.stdout).on('line', (text) => {
      let line: ChildLine;
      try {
        line = JSON.parse(text) as ChildLine;
      } catch {
        // The last line of a killed process may be cut off; it was then not acknowledged to anybody.
        return;
      }
      lines.push(line);
      if (line.ready !== undefined || line.failed !== undefined) resolve(line);
      onLine(line);
    });
    void ended.then(() => reject(new Error('The store process ended before it was ready.')));
  });
  first.catch(() => {});
  return {
    pid: child.pid!,
    lines,
    /** Its `ready` or `failed` line. */
    first,
    /** Ends it and waits until it has ended and all that it printed was read. */
    async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
      child.kill(signal);
      await ended;
    },
    ended,
  };
}
