import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { storeProcess } from './store-process.ts';

const root = mkdtempSync(join(tmpdir(), 'polyad-two-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('a second process on one directory refuses and says who holds it; it may have it afterwards', async () => {
  const dataDir = join(root, 'a');
  const holder = storeProcess(dataDir, 'hold');
  await holder.first;
  const second = storeProcess(dataDir, 'hold');
  expect(await second.first).toMatchObject({
    failed: 'store_directory_in_use',
    message: expect.stringContaining(`process ${holder.pid} `),
  });
  expect((await second.ended)[0]).toEqual([3, null]);
  await holder.end('SIGTERM');
  expect(readdirSync(dataDir)).not.toContain('polyad.lock');
  const third = storeProcess(dataDir, 'hold');
  expect(await third.first).toMatchObject({ ready: third.pid });
  await third.end('SIGKILL');
});

it('of several that find an abandoned lock together exactly one gets the directory', async () => {
  const dataDir = join(root, 'b');
  const dead = storeProcess(dataDir, 'hold');
  await dead.first;
  await dead.end('SIGKILL');
  const contenders = Array.from({ length: 4 }, () => storeProcess(dataDir, 'hold'));
  const results = await Promise.all(contenders.map((contender) => contender.first));
  expect(results.filter((line) => line.ready !== undefined)).toHaveLength(1);
  expect(results.filter((line) => line.failed === 'store_directory_in_use')).toHaveLength(3);
  const winner = contenders[results.findIndex((line) => line.ready !== undefined)]!;
  expect(winner.lines).toContainEqual(
    expect.objectContaining({ warn: expect.stringContaining('recovered'), pid: dead.pid }),
  );
  await winner.end('SIGTERM');
  await Promise.all(contenders.map((contender) => contender.ended));
  expect(readdirSync(dataDir)).toEqual(['pgdata']);
});
