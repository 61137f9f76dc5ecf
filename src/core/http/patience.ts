/** Deadlines: undici bounds each silence, this bounds the whole. */

/**
 * A signal that ends with the caller's patience, and with the caller's own signal. `end` must be called when the request
 * is over. The timer is the machine's: sockets know no other time.
 */
export class Patience {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  #kept = false;
  /** The time is up. */
  over = false;
  readonly #abort = (): void => this.#end(this.#caller.reason);

  constructor(caller: AbortSignal, ms: number) {
    this.#caller = caller;
    if (caller.aborted) this.#abort();
    caller.addEventListener('abort', this.#abort, { once: true });
    this.#timer = setTimeout(
      () => {
        this.over = true;
        this.#end(new DOMException('no answer within the deadline', 'TimeoutError'));
      },
      Math.max(1, ms),
    );
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  #end(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The answer goes on after `end`: the caller's signal still cuts it off, the deadline does not. */
  keep(): void {
    this.#kept = true;
  }

  end(): void {
    clearTimeout(this.#timer);
    if (!this.#kept) this.#caller.removeEventListener('abort', this.#abort);
  }
}
