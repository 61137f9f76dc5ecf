/** A dossier as PDF, laid out in a thread of its own: it takes a second of pure computing. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { PolyadError } from '../errors/index.ts';
import type { Dossier } from './document.ts';

const LONGEST_MS = 60_000;

/** The bytes of the file. @throws PolyadError `internal` when the thread fails, which is a defect. */
export async function dossierPdf(dossier: Dossier): Promise<Buffer> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./pdf-worker.${extension}`, import.meta.url), { workerData: dossier });
  try {
    const [bytes] = (await once(worker, 'message', { signal: AbortSignal.timeout(LONGEST_MS) })) as [Uint8Array];
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw new PolyadError('internal', { message: 'The dossier could not be laid out.', cause: error });
  } finally {
    void worker.terminate();
  }
}
