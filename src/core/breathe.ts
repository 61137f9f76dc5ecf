/**
 * Keeps the event loop free: work that comes in pieces (rows of a page, answers of many platforms at once) asks between
 * its pieces whether others had better go first.
 */

/** How much work is done in one turn of the event loop before the rest waits for the next one, in ms. */
const TURN_MS = 2;
/**
 * … and how much of it is done while others wait. Who asks at every row would otherwise wait at every row for a turn of
 * everybody else: reports beside lists came to a tenth of their share.
 */
const PIECE_MS = 0.5;

/** Who waits to go on; one in each turn, so that sockets and timers come in between. */
const waiting: (() => void)[] = [];
let turnBegan = 0;
let armed = false;

function turn(): void {
  turnBegan = performance.now();
  const next = waiting.shift();
  armed = next !== undefined;
  if (next === undefined) return;
  setImmediate(turn);
  next();
}

/**
 * A promise to wait for before the next piece of work when this turn of the event loop has been busy for long;
 * undefined when there is time: `const pause = breathe(); if (pause !== undefined) await pause;`, or simply
 * `await breathe()` where a microtask does not matter.
 */
export function breathe(): Promise<void> | undefined {
  if (!armed) {
    armed = true;
    turnBegan = performance.now();
    setImmediate(turn);
    return undefined;
  }
  if (performance.now() - turnBegan < (waiting.length === 0 ? TURN_MS : PIECE_MS)) return undefined;
  return new Promise((resolve) => waiting.push(resolve));
}

/** Whether anybody waits to go on: for clocks of tests, whose time stands still while there is work. */
export function someoneWaits(): boolean {
  return waiting.length > 0;
}
