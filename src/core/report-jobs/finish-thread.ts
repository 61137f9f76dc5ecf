/** The thread in which a result is made, and how to start it. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Finished, FinishInput } from './finish.ts';

/** Memory of the thread's own heap, in MB: it holds a part of a temporary file and a row group at a time. */
const HEAP_MB = 160;

type Message = { done: Finished } | { failed: { message: string; code?: string } };

/**
 * Writes a result in a thread of its own.
 *
 * @throws the signal's reason when it aborts; Error with the `code` of the file system when writing or reading fails.
 */
export function finishInThread(input: FinishInput, signal: AbortSignal): Promise<Finished> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const worker = new Worker(new URL(import.meta.url), {
      workerData: input,
      name: 'polyad-report',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 16 },
    });
    const stop = (): void => {
      reject(signal.reason);
      void worker.terminate();
    };
    const end = (act: () => void): void => {
      signal.removeEventListener('abort', stop);
      act();
    };
    signal.addEventListener('abort', stop, { once: true });
    worker.once('message', (message: Message) =>
      end(() => {
        if ('done' in message) resolve(message.done);
        else reject(Object.assign(new Error(message.failed.message), { code: message.failed.code }));
      }),
    );
    worker.once('error', (error) => end(() => reject(error)));
    worker.once('exit', (code) => end(() => reject(new Error(`the thread that makes a report ended with ${code}`))));
  });
}

if (!isMainThread && parentPort !== null && (workerData as FinishInput | undefined)?.reports !== undefined) {
  const port = parentPort;
  const { finish } = await import('./finish.ts');
  finish(workerData as FinishInput).then(
    (done) => port.postMessage({ done } satisfies Message),
    (error: NodeJS.ErrnoException) =>
      port.postMessage({
        failed: { message: error.message, ...(error.code === undefined ? {} : { code: error.code }) },
      } satisfies Message),
  );
}
