import { describe, expect, it } from 'vitest';
import { breathe } from './breathe.ts';

const busy = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('breathe', () => {
  it('costs nothing while a turn of the event loop is young', async () => {
    await turn();
    await turn();
    expect([breathe(), breathe(), breathe()]).toEqual([undefined, undefined, undefined]);
  });

  it('lets one after the other go on, each in a turn of its own, once a turn has been busy', async () => {
    await turn();
    await turn();
    const order: string[] = [];
    const work = async (name: string): Promise<void> => {
      await breathe();
      busy(5);
      await breathe();
      order.push(name);
    };
    const all = Promise.all([work('a'), work('b'), work('c')]);
    // Sockets and timers come in between: this is asked for after the work began and is served before it ends.
    setImmediate(() => order.push('other'));
    await all;
    expect(order.indexOf('other')).toBeLessThan(order.indexOf('c'));
    expect(order.filter((name) => name !== 'other')).toEqual(['a', 'b', 'c']);
  });

  it('lets those who ask at every item do a piece of work in their turn, while others wait', async () => {
    await turn();
    await turn();
    let turns = 0;
    let working = true;
    const count = (): void => {
      turns += 1;
      if (working) setImmediate(count);
    };
    const work = async (): Promise<void> => {
      for (let item = 0; item < 200; item += 1) await breathe();
    };
    breathe();
    busy(5);
    setImmediate(count);
    await Promise.all(Array.from({ length: 20 }, work));
    working = false;
    // 4,000 items, which would take as many turns one by one.
    expect(turns).toBeLessThan(400);
  });
});
