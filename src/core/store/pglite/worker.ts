/**
 * The embedded database, in a thread of its own: a query of 150 ms would otherwise stop every request of the process for
 * 150 ms. Requests are served strictly one after the other, in the order they came.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { PGlite } from '@electric-sql/pglite';
import { isCopy } from '../copy.ts';
import { INVALIDATION_CHANNEL } from '../invalidations.ts';
import { openEngine } from './engine.ts';
import type { Answer, ErrorAnswer, QueryAnswer, Request } from './protocol.ts';

function describe(thrown: unknown): ErrorAnswer {
  const error = thrown as ErrorAnswer;
  const { message, code, detail, constraint, table, column } = error;
  return { message: String(message ?? thrown), code, detail, constraint, table, column };
}

async function main(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('This module runs as a worker only.');
  const post = (answer: Answer) => port.postMessage(answer);
  let db: PGlite;
  try {
    db = await openEngine((workerData as { directory: string }).directory);
    await db.listen(INVALIDATION_CHANNEL, (payload) => post({ kind: 'notification', payload }));
  } catch (error) {
    post({ kind: 'failed', error: describe(error) });
    return;
  }

  /** Without parameters several statements may stand in one text, as with the `pg` client. */
  const run = async (sql: string, params: readonly unknown[]): Promise<QueryAnswer> => {
    if (isCopy(sql)) {
      await db.query(sql, [], { blob: new Blob([params[0] as string]) });
      return { rows: [], affectedRows: 0, command: undefined };
    }
    const result = params.length > 0 ? await db.query(sql, [...params]) : (await db.exec(sql)).at(-1);
    return {
      rows: (result?.rows ?? []) as Record<string, unknown>[],
      affectedRows: result?.affectedRows ?? 0,
      command: result?.command,
    };
  };

  let queue: Promise<void> = Promise.resolve();
  const serve = async (request: Request): Promise<void> => {
    try {
      if (request.kind === 'close') {
        await db.close();
        post({ kind: 'answer', id: request.id, ok: true, value: null });
        port.close();
        return;
      }
      post({ kind: 'answer', id: request.id, ok: true, value: await run(request.sql, request.params) });
    } catch (error) {
      post({ kind: 'answer', id: request.id, ok: false, error: describe(error) });
    }
  };
  port.on('message', (request: Request) => {
    queue = queue.then(() => serve(request));
  });
  post({ kind: 'ready' });
}

await main();
