/**
 * One request and its answer on undici's dispatcher. The usual way, a stream for every body, costs more than all the rest
 * of a small answer: bodies that are wanted whole are collected here as they come.
 */
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { broken, ended, joined } from './body.ts';

/** An answer whose head has come. */
export interface Answer<Body> {
  status: number;
  /** Names in lower case; the values of repeated ones joined by commas. */
  headers: Record<string, string>;
  /** The same with repeated ones apart, for unchanged hand-through. */
  received: Record<string, string | string[]>;
  body: Body;
}

/**
 * How a body is wanted. `stream`: as it comes. `small`: in one piece if it is announced to be up to `most` bytes and comes
 * at once; one that takes longer, or breaks off, is a stream that begins with what has come, so that whoever reads it sees
 * the same as if nobody had tried. `whole`: in one piece, or not at all.
 */
export type Wanted =
  | { as: 'stream' }
  | { as: 'small'; most: number }
  | { as: 'whole'; most: number; tooLarge: () => Error };

/** Longest time, in ms, that the beginning of a small body waits for its end. */
const PATIENCE_MS = 20;
const STREAM_BYTES = 64 * 1024;
const ONCE = { once: true } as const;
const ignore = (): void => undefined;

/** A body as it comes. Whoever gives it up ends the request. */
class AnswerBody extends Readable {
  readonly #controller: Dispatcher.DispatchController;
  complete = false;

  constructor(controller: Dispatcher.DispatchController) {
    super({ highWaterMark: STREAM_BYTES });
    this.#controller = controller;
  }

  override _read(): void {
    this.#controller.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.complete) this.#controller.abort(error ?? new DOMException('the body was given up', 'AbortError'));
    done(error);
  }
}

export class Exchange implements Dispatcher.DispatchHandler {
  readonly #wanted: Wanted;
  readonly #signal: AbortSignal;
  readonly #sent: unknown;
  readonly #resolve: (answer: Answer<Readable | Buffer>) => void;
  readonly #reject: (reason: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #head: Omit<Answer<never>, 'body'> | undefined;
  #pieces: Buffer[] | undefined;
  #size = 0;
  #stream: AnswerBody | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Ended, failed or given up. */
  #done = false;

  /** `sent`: body of the request; a stream is given up when the request fails. */
  constructor(
    wanted: Wanted,
    signal: AbortSignal,
    sent: unknown,
    resolve: (answer: Answer<Readable | Buffer>) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#wanted = wanted;
    this.#signal = signal;
    this.#sent = sent;
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener('abort', this, ONCE);
  }

  /** The caller's signal has ended. */
  handleEvent(): void {
    const { reason } = this.#signal;
    this.#done = true;
    clearTimeout(this.#timer);
    if (this.#stream !== undefined) this.#stream.on('error', ignore).destroy(reason as Error);
    else {
      this.#controller?.abort(reason as Error);
      this.#reject(reason);
    }
  }

  #over(): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal.aborted) controller.abort(this.#signal.reason as Error);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    received: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#head = { status, headers: single(received), received: received as Record<string, string | string[]> };
    const wanted = this.#wanted;
    if (wanted.as === 'whole') this.#pieces = [];
    else if (wanted.as === 'small' && isSmall(this.#head.headers, wanted.most)) {
      this.#pieces = [];
      // Most small bodies come together with their head: those need no timer.
      queueMicrotask(() => {
        if (this.#pieces !== undefined && !this.#done)
          this.#timer = setTimeout(() => this.#open(controller), PATIENCE_MS);
      });
    } else this.#open(controller);
  }

  /** From here on the body is a stream. */
  #open(controller: Dispatcher.DispatchController): void {
    const stream = new AnswerBody(controller);
    this.#stream = stream;
    const pieces = this.#pieces;
    this.#pieces = undefined;
    if (pieces !== undefined && pieces.length > 0) stream.push(joined(pieces));
    this.#resolve({ ...(this.#head as Omit<Answer<never>, 'body'>), body: stream });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#stream !== undefined) {
      if (!this.#stream.push(chunk)) controller.pause();
      return;
    }
    this.#pieces?.push(chunk);
    this.#size += chunk.length;
    const wanted = this.#wanted;
    if (wanted.as !== 'whole' || this.#size <= wanted.most) return;
    const error = wanted.tooLarge();
    this.#reject(error);
    controller.abort(error);
  }

  onResponseEnd(): void {
    this.#over();
    if (this.#stream !== undefined) {
      this.#stream.complete = true;
      this.#stream.push(null);
    } else this.#resolve({ ...(this.#head as Omit<Answer<never>, 'body'>), body: ended(this.#pieces ?? []) });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#over();
    const stream = this.#stream;
    if (stream !== undefined) {
      stream.complete = true;
      stream.on('error', ignore);
      // What has come before is handed on first.
      queueMicrotask(() => stream.destroy(error));
    } else if (this.#head !== undefined && this.#wanted.as === 'small' && !this.#signal.aborted)
      this.#resolve({ ...this.#head, body: broken(this.#pieces ?? [], error) });
    else this.#reject(error);
    if (this.#sent instanceof Readable) this.#sent.on('error', ignore).destroy(error);
  }
}

function isSmall(headers: Record<string, string>, most: number): boolean {
  const announced = Number(headers['content-length'] ?? 0);
  return announced > 0 && announced <= most;
}

/** The headers with one text for each name; the same object where none is repeated. */
function single(received: Record<string, string | string[] | undefined>): Record<string, string> {
  let joint: Record<string, string> | undefined;
  for (const name in received) {
    const value = received[name];
    if (!Array.isArray(value)) continue;
    joint ??= { ...received } as Record<string, string>;
    joint[name] = value.join(', ');
  }
  return joint ?? (received as Record<string, string>);
}
