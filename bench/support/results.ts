/** Results: a table for people, a file in bench/results/ for comparison with the next run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machine } from './machine.ts';

const FOLDER = fileURLToPath(new URL('../results/', import.meta.url));

/** One promise of a benchmark and whether this run kept it. */
export interface Target {
  name: string;
  value: number | string;
  target: string;
  met: boolean;
}

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

/** Prints a result and keeps it as bench/results/<name>.json. Answers whether all targets were met. */
export function record(result: Result): boolean {
  const { name, what, noise, rows, targets, more } = result;
  const on = machine();
  process.stdout.write(
    `\n${what}\n${on.cpu}, ${on.cores} cores, Node ${on.node}; others used ${(noise * 100).toFixed(0)} % of the machine\n\n${table(rows)}\n\n`,
  );
  for (const { name: of, value, target, met } of targets)
    process.stdout.write(`${met ? 'met   ' : 'MISSED'}  ${of}: ${value} (target ${target})\n`);
  mkdirSync(FOLDER, { recursive: true });
  const at = new Date().toISOString().slice(0, 19);
  const content = { what, at: `${at}Z`, machine: on, noise: Number(noise.toFixed(3)), rows, targets, ...more };
  writeFileSync(`${FOLDER}${name}.json`, `${JSON.stringify(content, null, 2)}\n`);
  return targets.every(({ met }) => met);
}
