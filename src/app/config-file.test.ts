import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asVariables, readConfig } from './config-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polyad-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

describe('readConfig', () => {
  it('lets flags win over variables, and variables over the file', async () => {
    write(
      'polyad.config.ts',
      `export default { port: 1, simulatorPort: 2, rateLimitPerMinute: 3, simulators: false, hosts: { 'tiktok/sandbox': 'http://127.0.0.1:9' } } satisfies object;`,
    );
    const config = await readConfig(
      { POLYAD_SIMULATOR_PORT: '20', POLYAD_RATE_LIMIT_PER_MINUTE: '30' },
      { POLYAD_RATE_LIMIT_PER_MINUTE: '300' },
      folder,
    );
    expect(config).toMatchObject({ port: 1, simulatorPort: 20, rateLimitPerMinute: 300, simulators: false });
    expect([...config.hosts]).toEqual([['tiktok/sandbox', 'http://127.0.0.1:9']]);
  });

  it('reads a file with the types of the installed package', async () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const installed = join(folder, 'node_modules', 'polyad');
    mkdirSync(installed, { recursive: true });
    for (const part of ['package.json', 'bin']) cpSync(join(root, part), join(installed, part), { recursive: true });
    write(
      'polyad.config.ts',
      `import { defineConfig } from 'polyad/config';\nconst port: number = 9;\nexport default defineConfig({ port });`,
    );
    expect((await readConfig({}, {}, folder)).port).toBe(9);
  });

  it('takes an empty variable for one that is not set', async () => {
    write('polyad.config.mjs', 'export default { port: 7 };');
    expect((await readConfig({ POLYAD_PORT: '' }, { POLYAD_PORT: undefined }, folder)).port).toBe(7);
  });

  it('reads the file that POLYAD_CONFIG names, and says when it is not there', async () => {
    write('other.mjs', 'export default { port: 8 };');
    expect((await readConfig({ POLYAD_CONFIG: 'other.mjs' }, {}, folder)).port).toBe(8);
    await expect(readConfig({ POLYAD_CONFIG: 'absent.mjs' }, {}, folder)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('POLYAD_CONFIG'),
    });
  });

  it('holds values of the file to the same rules, naming the variable', async () => {
    write('polyad.config.mjs', "export default { port: 'many', logLevel: 'loud' };");
    await expect(readConfig({}, {}, folder)).rejects.toMatchObject({
      details: { issues: [{ variable: 'POLYAD_PORT' }, { variable: 'POLYAD_LOG_LEVEL' }] },
    });
  });

  it.each([
    ['export default 5;', 'default export'],
    ['export const port = 5;', 'default export'],
    ['export default {', 'cannot be loaded'],
  ])('refuses a file that is %s', async (text, said) => {
    write('polyad.config.mjs', text);
    await expect(readConfig({}, {}, folder)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(said),
    });
  });
});

describe('asVariables', () => {
  it('refuses settings that do not exist, inherited names too', () => {
    for (const name of ['prot', 'constructor'])
      expect(() => asVariables({ [name]: 1 } as never, 'f')).toThrow(`${name} in f is not a setting`);
  });

  it('refuses hosts that name no environment', () => {
    for (const target of ['tiktok', 'tiktok/sandbox/x'])
      expect(() => asVariables({ hosts: { [target]: 'http://x' } }, 'f')).toThrow('is not <platform>/<environment>');
  });

  it('writes hosts under the names that the environment uses', () => {
    expect(asVariables({ hosts: { 'google-ads/production': 'https://x' } }, 'f')).toEqual({
      POLYAD_GOOGLE_ADS_PRODUCTION_URL: 'https://x',
    });
  });
});
