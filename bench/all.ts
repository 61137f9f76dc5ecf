/**
 * `npm run bench`: every benchmark after the other, each in a process of its own; results go to bench/results/. Names on
 * the command line choose some of them: `npm run bench -- http map`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./', import.meta.url));
const chosen = process.argv.slice(2);
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'all.ts')
  .map((file) => file.slice(0, -'.ts'.length))
  .filter((name) => chosen.length === 0 || chosen.includes(name));

const failed: string[] = [];
for (const name of names) {
  process.stdout.write(`\n== ${name}\n`);
  const child = spawn(process.execPath, [`${folder}${name}.ts`], { stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) failed.push(name);
}
process.stdout.write(
  failed.length === 0 ? '\nall benchmarks ran\n' : `\ndid not run to their end: ${failed.join(', ')}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
