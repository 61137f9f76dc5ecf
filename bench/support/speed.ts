/**
 * How fast this machine is, for targets in milliseconds and calls per second: they were set on a machine of the reference's
 * speed, and a shared one may run at a third of that from one hour to the next.
 *
 * Measured with what no change of polyad can make faster: JSON.parse of the page of 50 campaigns that the benchmarks read.
 */
import { campaignPage } from './campaigns.ts';
import { quantile } from './stats.ts';

/** CPU of JSON.parse of that page, in µs, on the machine that the targets were set for: a quiet core of a current server. */
export const REFERENCE_PARSE_US = 60;
const ROUNDS = 15;
const REPEATS = 120;

function parseUs(): number {
  const text = campaignPage();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    for (let repeat = 0; repeat < REPEATS; repeat += 1) JSON.parse(text);
    const { user, system } = process.cpuUsage(before);
    rounds.push((user + system) / REPEATS);
  }
  return quantile(rounds, 0.5);
}

/** Before the benchmark begins, for it is slow in one minute and fast in the next. */
const first = parseUs();

/** The speed from the beginning of this process until now: 1 = the reference, 0.5 = half as fast. */
export function machineSpeed(): number {
  return (2 * REFERENCE_PARSE_US) / (first + parseUs());
}
