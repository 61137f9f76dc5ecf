/** What the embedded engine asks of the machine. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

const CHILD = fileURLToPath(new URL('./engine-child.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'polyad-engine-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Bytes that optimising one function took at most, where V8 says so. */
const TAKEN = /using TurboFan, took \d+ ms and (\d+) \/ \d+ max/g;

it('is optimised while it runs, but for the parser, which would take 600 MB', async () => {
  // At once instead of beside the program, so that the end does not come before.
  const flags = ['--trace-wasm-compilation-times', '--wasm-sync-tier-up'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, CHILD, directory], {
    env: { ...process.env, NODE_OPTIONS: '' },
    maxBuffer: 64 * 1024 * 1024,
  });
  const taken = Array.from(stdout.matchAll(TAKEN), ([, bytes]) => Number(bytes));
  expect(taken.length).toBeGreaterThan(0);
  expect(Math.max(...taken)).toBeLessThan(150 * 1024 * 1024);
}, 60_000);
