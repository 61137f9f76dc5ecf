import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EagerClock } from './eager-clock.ts';

it('stands still while files are read, and passes when they have been', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'polyad-clock-'));
  try {
    const file = await open(join(directory, 'large'), 'w+');
    await file.truncate(64 * 1024 * 1024);
    const clock = new EagerClock();
    const begun = clock.now().getTime();
    const waited = clock.sleep(1_000);
    const { bytesRead } = await file.read(Buffer.alloc(64 * 1024 * 1024), 0, 64 * 1024 * 1024, 0);
    expect([bytesRead, clock.now().getTime() - begun]).toEqual([64 * 1024 * 1024, 0]);
    await waited;
    expect(clock.now().getTime() - begun).toBe(1_000);
    await file.close();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
