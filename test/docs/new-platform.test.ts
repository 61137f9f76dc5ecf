/** The way to a new platform that CONTRIBUTING.md describes, gone in a copy of the repository. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newPlatform } from '../../scripts/new-platform.ts';
import { capabilities } from '../../src/core/connector/capabilities.ts';
import { loadPlatforms } from '../../src/core/connector/registry.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'polyad-new-'));
  for (const part of ['src', 'test', 'tsconfig.json', 'package.json'])
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const platforms = () => loadPlatforms(pathToFileURL(`${join(copy, 'src/platforms')}/`));

describe('npm run new-platform', () => {
  it('makes a platform that the registry finds and whose types are right', async () => {
    expect((await platforms()).find('acme')).toBeUndefined();
    const made = newPlatform(copy, 'snap-shop', 'SnapShop');
    expect(made).toContain('test/conformance/platforms/snap-shop.ts');
    for (const path of made) expect(readFileSync(join(copy, path), 'utf8'), path).not.toMatch(/acme/i);

    const registry = await platforms();
    const platform = registry.get('snapshopads');
    expect(platform.manifest).toMatchObject({ id: 'snap-shop', name: 'SnapShop Ads' });
    expect(Object.keys(capabilities(platform, registry)).sort()).toEqual([
      'ads_campaign',
      'ads_organization',
      'ads_report',
    ]);

    const { compilerOptions } = JSON.parse(readFileSync(join(copy, 'tsconfig.json'), 'utf8'));
    const config = { compilerOptions, files: made.filter((path) => path.endsWith('.ts')) };
    writeFileSync(join(copy, 'tsconfig.new.json'), JSON.stringify(config));
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const { stdout } = spawnSync(tsc, ['-p', 'tsconfig.new.json'], { cwd: copy, encoding: 'utf8' });
    // Faults elsewhere are for the type check of the whole repository to find.
    expect(stdout.split('\n').filter((line) => made.some((path) => line.startsWith(path)))).toEqual([]);
  });

  it('refuses names that cannot be, and folders that are there', () => {
    expect(() => newPlatform(copy, 'Snap', 'Snap')).toThrow('is no id');
    expect(() => newPlatform(copy, 'snap_ads', 'Snap')).toThrow('is no id');
    expect(() => newPlatform(copy, 'snap', "it's")).toThrow('is no name');
    mkdirSync(join(copy, 'src/platforms/taken'), { recursive: true });
    expect(() => newPlatform(copy, 'taken', 'Taken')).toThrow('is there already');
  });

  it('is a script of the package', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(scripts['new-platform']).toContain('scripts/new-platform.ts');
  });
});
