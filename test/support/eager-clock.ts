/**
 * A clock on which waiting costs no time. While a request to a platform is under way it stands still: nobody's patience
 * may run out over an answer that takes no virtual time.
 */
import { JumpingClock, OpenRequests } from './jumping-clock.ts';

const requests = new OpenRequests();

export class EagerClock extends JumpingClock {
  #now: Date;

  constructor(start = new Date('2026-11-22T12:00:00Z')) {
    super();
    this.#now = start;
  }

  now(): Date {
    return new Date(this.#now);
  }

  protected jump(end: Date): void {
    this.#now = end;
  }

  protected busy(): boolean {
    return requests.some;
  }
}
