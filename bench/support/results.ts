/** Results: a table for people, a file in bench/results/ for comparison with the next run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machine } from './machine.ts';
import { machineSpeed } from './speed.ts';
import { short } from './stats.ts';

const FOLDER = fileURLToPath(new URL('../results/', import.meta.url));

/** One promise of a benchmark and whether this run kept it. */
export interface Target {
  name: string;
  value: number | string;
  target: string;
  met: boolean;
  /** Of a time or a rate: what says whether a slower machine is the reason why it was missed. */
  scaled?: (speed: number) => { value: string; met: boolean };
}

const figure = (value: number, unit: string): string => `${short(value)} ${unit}`.trim();

/** A time that is not to be longer than `limit`. */
export const atMost = (name: string, value: number, unit: string, limit: number): Target => ({
  name,
  value: figure(value, unit),
  target: `<= ${limit} ${unit}`,
  met: value <= limit,
  scaled: (speed) => ({ value: figure(value * speed, unit), met: value * speed <= limit }),
});

/** A rate (`unit`: of what a second) that is not to be smaller than `limit`. */
export const atLeast = (name: string, value: number, unit: string, limit: number): Target => ({
  name,
  value: figure(value, unit),
  target: `>= ${limit} ${unit}`.trim(),
  met: value >= limit,
  scaled: (speed) => ({ value: figure(value / speed, unit), met: value / speed >= limit }),
});

export interface Result {
  /** File name without ending. */
  name: string;
  what: string;
  /** Share of the machine's CPU that others used meanwhile; see `Noise`. */
  noise: number;
  /** Rows of the table, and whatever else a reader may want. */
  rows: readonly Record<string, unknown>[];
  targets: readonly Target[];
  more?: Record<string, unknown>;
}

function table(rows: readonly Record<string, unknown>[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))];
  const widths = names.map((_, at) => Math.max(...cells.map((row) => (row[at] as string).length)));
  return cells.map((row) => row.map((cell, at) => cell.padEnd(widths[at] as number)).join('  ')).join('\n');
}

/** One line of the verdict: `slow` is a target that this machine misses and one of the reference's speed would meet. */
function verdict({ name, value, target, met, scaled }: Target, speed: number): string {
  const there = met ? undefined : scaled?.(Math.min(1, speed));
  const word = met ? 'met   ' : there?.met === true ? 'slow  ' : 'MISSED';
  return `${word}  ${name}: ${value} (target ${target}${there === undefined ? '' : `; ${there.value} at the reference's speed`})\n`;
}

/** Prints a result and keeps it as bench/results/<name>.json. Answers whether all targets were met, here or at the reference's speed. */
export function record(result: Result): boolean {
  const { name, what, noise, rows, targets, more } = result;
  const on = machine();
  const speed = machineSpeed();
  process.stdout.write(
    `\n${what}\n${on.cpu}, ${on.cores} cores, Node ${on.node}; others used ${(noise * 100).toFixed(0)} % of the machine, whose speed is ${speed.toFixed(2)} of the reference's\n\n${table(rows)}\n\n`,
  );
  for (const target of targets) process.stdout.write(verdict(target, speed));
  mkdirSync(FOLDER, { recursive: true });
  const at = new Date().toISOString().slice(0, 19);
  const content = {
    what,
    at: `${at}Z`,
    machine: { ...on, speed: Number(speed.toFixed(2)) },
    noise: Number(noise.toFixed(3)),
    rows,
    targets: targets.map(({ scaled, ...target }) =>
      scaled === undefined ? target : { ...target, atReferenceSpeed: scaled(speed).value },
    ),
    ...more,
  };
  writeFileSync(`${FOLDER}${name}.json`, `${JSON.stringify(content, null, 2)}\n`);
  return targets.every(({ met, scaled }) => met || scaled?.(Math.min(1, speed)).met === true);
}
