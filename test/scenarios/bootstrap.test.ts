/** `polyad keys bootstrap`: the first key, once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnv, type Ended, runCli, scenario } from './support/server-process.ts';

let place: Awaited<ReturnType<typeof scenario>>;
beforeAll(async () => {
  place = await scenario();
});
afterAll(() => place.close());

const bootstrap = (...flags: string[]): Promise<Ended> =>
  runCli(['keys', 'bootstrap', '-o', 'json', ...flags], cleanEnv(place.dataDir));

describe('polyad keys bootstrap', () => {
  it('makes a key the first time, then says what is there, and another only when told so', async () => {
    const first = await bootstrap('--workspace-name', 'Acme');
    expect(first.code, first.stderr).toBe(0);
    const made = JSON.parse(first.stdout);
    expect(made).toMatchObject({ workspace: 'Acme', key: expect.stringMatching(/^polyad_/) });

    for (const flags of [[], ['--workspace', made.workspace_id]]) {
      const again = await bootstrap(...flags);
      expect(again).toMatchObject({ code: 1, stdout: '' });
      for (const text of ['already_bootstrapped', made.workspace_id, 'Acme', made.key.slice(0, 12), '--another'])
        expect(again.stderr).toContain(text);
      expect(again.stderr).not.toContain(made.key);
    }

    const other = await bootstrap('--another', '--workspace', made.workspace_id);
    expect(other.code, other.stderr).toBe(0);
    const second = JSON.parse(other.stdout);
    expect(second.workspace_id).toBe(made.workspace_id);
    expect(second.key).not.toBe(made.key);
    expect((await bootstrap()).stderr).toContain(second.key.slice(0, 12));
  }, 120_000);
});
