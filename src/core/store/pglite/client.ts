import { Worker } from 'node:worker_threads';
import type { PGlite as KyselyPGlite, PGliteQueryResults, PGliteTransaction } from 'kysely';
import { PolyadError } from '../../errors/index.ts';
import type { Answer, ErrorAnswer, QueryAnswer, Request } from './protocol.ts';

/** An error of the embedded database, with the members (`code` is the SQLSTATE) that the `pg` client's errors have. */
export class PgliteError extends Error {
  readonly code: string | undefined;
  readonly detail: string | undefined;
  readonly constraint: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;

  constructor(answer: ErrorAnswer) {
    super(answer.message);
    this.name = 'PgliteError';
    this.code = answer.code;
    this.detail = answer.detail;
    this.constraint = answer.constraint;
    this.table = answer.table;
    this.column = answer.column;
  }
}

interface Waiting {
  resolve(value: QueryAnswer | null): void;
  reject(error: Error): void;
}

/**
 * The embedded database as Kysely's PGlite dialect wants it, run by a worker. Kysely lets one caller at a time onto the
 * one connection for the length of a statement or a whole transaction, so statements of different callers never mix.
 */
export class PgliteClient implements KyselyPGlite {
  readonly ready = true;
  readonly waitReady: Promise<void> = Promise.resolve();
  closed = false;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #broken: PolyadError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(worker: Worker, onNotification: (payload: string) => void) {
    this.#worker = worker;
    worker.on('message', (answer: Answer) => {
      if (answer.kind === 'notification') onNotification(answer.payload);
      else if (answer.kind === 'answer') this.#settle(answer);
    });
    worker.on('error', (cause) => this.#break(cause));
    worker.on('exit', () => this.#break(new Error('The database worker has ended.')));
  }

  /**
   * Starts the worker on `directory` and waits until the database serves.
   *
   * @throws PolyadError `store_unavailable`
   */
  static async start(directory: string, onNotification: (payload: string) => void): Promise<PgliteClient> {
    // Compiled to JavaScript the worker's file has the other ending; the compiler rewrites imports, not URLs.
    const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { workerData: { directory }, name: 'polyad-database' });
    await new Promise<void>((resolve, reject) => {
      const failed = (cause: unknown) => {
        const message = `The embedded database in ${directory} does not start.`;
        reject(new PolyadError('store_unavailable', { message, cause }));
      };
      worker.once('error', failed);
      worker.once('exit', (code) => failed(new Error(`The database worker ended with code ${code}.`)));
      worker.once('message', (answer: Answer) => {
        if (answer.kind === 'ready') return resolve();
        failed(answer.kind === 'failed' ? new PgliteError(answer.error) : answer);
        void worker.terminate();
      });
    });
    return new PgliteClient(worker, onNotification);
  }

  async query<T>(sql: string, params: readonly unknown[] = []): Promise<PGliteQueryResults<T>> {
    const { rows, affectedRows } = await this.#run(sql, params);
    return { rows: rows as T[], affectedRows, fields: [] };
  }

  /** Runs `callback` between BEGIN and COMMIT, or ROLLBACK when it rejects. */
  async transaction<T>(callback: (transaction: PGliteTransaction) => Promise<T>): Promise<T> {
    await this.#run('begin', []);
    let result: T;
    try {
      result = await callback({
        query: (sql, params) => this.query(sql, params),
        rollback: async () => {
          await this.#run('rollback', []);
        },
      });
    } catch (error) {
      await this.#run('rollback', []);
      throw error;
    }
    // A transaction that a failed statement has spoiled answers COMMIT with ROLLBACK; nobody may take that for success.
    const { command } = await this.#run('commit', []);
    if (command === 'ROLLBACK') {
      throw new PgliteError({ code: '25P02', message: 'The transaction had failed and was rolled back.' });
    }
    return result;
  }

  /** Ends the database in good order and the worker with it. Statements sent before are finished. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      if (this.#broken === undefined) await this.#send({ id: this.#nextId++, kind: 'close' }).catch(() => null);
      this.closed = true;
      await this.#worker.terminate();
    })();
    return this.#closing;
  }

  async #run(sql: string, params: readonly unknown[]): Promise<QueryAnswer> {
    const answer = await this.#send({ id: this.#nextId++, kind: 'query', sql, params });
    return answer ?? { rows: [], affectedRows: 0, command: undefined };
  }

  #send(request: Request): Promise<QueryAnswer | null> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) return reject(this.#broken);
      if (this.#closing !== undefined && request.kind !== 'close') {
        return reject(new PolyadError('store_unavailable', { message: 'The database is closed.' }));
      }
      this.#waiting.set(request.id, { resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  #settle(answer: Extract<Answer, { kind: 'answer' }>): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer.value);
    else waiting?.reject(new PgliteError(answer.error));
  }

  #break(cause: unknown): void {
    this.#broken ??= new PolyadError('store_unavailable', { message: 'The embedded database has stopped.', cause });
    for (const waiting of this.#waiting.values()) waiting.reject(this.#broken);
    this.#waiting.clear();
  }
}
