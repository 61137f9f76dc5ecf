/** Service had so far, by name. Whoever comes (back) starts where the others are; whoever waits keeps what it has. */

/** With more names than this those are forgotten that are far behind the others: they have not waited for long. */
const SWEEP_ABOVE = 4_096;
/** Far behind, in units of service. */
const FAR_BEHIND = 64;

export class Tags {
  readonly #served = new Map<string, number>();
  /** Where the others are: the service had by the one that went last, before it went. */
  #level = 0;

  of(name: string): number {
    return this.#served.get(name) ?? this.#level;
  }

  /** Where it starts when it comes now. `waiting`: those that wait. The one among them that had least sets the start. */
  start(name: string, waiting: Iterable<string>): number {
    let start = this.#level;
    for (const other of waiting) start = Math.min(start, this.of(other));
    return Math.max(start, this.#served.get(name) ?? 0);
  }

  arrive(name: string, waiting: Iterable<string>): void {
    this.#served.set(name, this.start(name, waiting));
  }

  charge(name: string, amount: number): void {
    this.set(name, this.of(name) + amount, this.of(name));
  }

  /** What all nodes together have counted. */
  set(name: string, served: number, level: number | undefined): void {
    this.#served.set(name, served);
    if (level !== undefined) this.#level = Math.max(this.#level, level);
    if (this.#served.size > SWEEP_ABOVE)
      for (const [one, tag] of this.#served) if (tag < this.#level - FAR_BEHIND) this.#served.delete(one);
  }
}
