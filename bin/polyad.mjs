#!/usr/bin/env node
/**
 * Starts the command line with a Node that runs TypeScript sources: the one that the bootstrap chose, else this one. Runs
 * on Node 20 itself, so it uses nothing that came later.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const source = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const chosen = fileURLToPath(new URL('../node_modules/.bin/polyad-node', import.meta.url));
const cache = fileURLToPath(new URL('../node_modules/.cache/polyad', import.meta.url));
const OLDEST = [22, 18];
// What docs/operations.md says of memory.
const FLAGS = ['--max-semi-space-size=8'];
const MEMORY = { MALLOC_ARENA_MAX: '2' };

const [major, minor] = process.versions.node.split('.').map(Number);
const newEnough = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
/** Releases are tested with this one, so an older Node gives way to the chosen one. */
const TESTED = 24;
// A package has compiled files: Node does not strip types below node_modules.
const entry = existsSync(source) && !/[\\/]node_modules[\\/]/.test(root) ? source : compiled;

if (existsSync(chosen) && major < TESTED) {
  // The child keeps the terminal; signals that reach only this process are handed on.
  const child = spawn(chosen, [...FLAGS, entry, ...process.argv.slice(2)], {
    stdio: 'inherit',
    // The server ends when this process is killed.
    env: { ...MEMORY, NODE_COMPILE_CACHE: cache, ...process.env, POLYAD_WRAPPED: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
  child.on('error', (error) => {
    process.stderr.write(`polyad: ${chosen} cannot be started: ${error.message}\n`);
    process.exit(1);
  });
} else if (newEnough) {
  // Before the entry is read, so that it need not be read anew either.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(process.env.NODE_COMPILE_CACHE ?? cache);
  await import(entry);
} else {
  process.stderr.write(
    `polyad needs Node ${OLDEST.join('.')} or newer, and this is ${process.version}. ` +
      'In a clone run `npm run polyad -- --help` once: it installs a suitable Node beside the packages.\n',
  );
  process.exit(1);
}
