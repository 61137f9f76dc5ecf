import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../../core/config.ts';
import { checkDataDirectory, checkLock, checkMasterKey, checkNode, checkPublicUrl } from './machine.ts';

let dataDir: string;
let config: Config;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'polyad-doctor-'));
  config = loadConfig({ POLYAD_DATA_DIR: dataDir });
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Above every id that Linux gives to a process. */
const NOBODY = 2 ** 22 + 1;
const lockOf = (pid: number): void =>
  writeFileSync(join(dataDir, 'polyad.lock'), JSON.stringify({ pid, host: hostname(), since: '2026-01-01T00:00:00Z' }));

describe('checks of the machine', () => {
  it.each([
    ['20.11.0', 'error'],
    ['22.17.9', 'error'],
    ['22.18.0', 'note'],
    ['24.0.0', 'ok'],
    ['26.1.0', 'ok'],
  ])('Node %s: %s', (version, severity) => expect(checkNode(version).severity).toBe(severity));

  it('warns of a data directory that others may read, and of one that is a file', () => {
    chmodSync(dataDir, 0o700);
    expect(checkDataDirectory(config).severity).toBe('ok');
    chmodSync(dataDir, 0o755);
    expect(checkDataDirectory(config)).toMatchObject({ severity: 'warning', fix: `Run: chmod 700 ${dataDir}` });
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    expect(checkDataDirectory({ ...config, dataDir: file }).severity).toBe('error');
    expect(checkDataDirectory({ ...config, dataDir: join(dataDir, 'absent') }).severity).toBe('note');
  });

  it('fails for a master key that others may read, or that a database lacks', () => {
    expect(checkMasterKey(config).severity).toBe('note');
    mkdirSync(join(dataDir, 'pgdata'));
    expect(checkMasterKey(config)).toMatchObject({ severity: 'error', text: expect.stringContaining('missing') });
    const file = join(dataDir, 'master.key');
    writeFileSync(file, 'x', { mode: 0o600 });
    expect(checkMasterKey(config).severity).toBe('ok');
    chmodSync(file, 0o640);
    expect(checkMasterKey(config)).toMatchObject({ severity: 'error', fix: `Run: chmod 600 ${file}` });
    expect(checkMasterKey({ ...config, masterKey: 'set' }).severity).toBe('ok');
  });

  it('tells a live holder of the lock from one that has ended', () => {
    expect(checkLock(config)).toMatchObject({ held: false, finding: { severity: 'ok' } });
    lockOf(process.pid);
    expect(checkLock(config)).toMatchObject({
      held: true,
      finding: { text: expect.stringContaining(String(process.pid)) },
    });
    lockOf(NOBODY);
    expect(checkLock(config)).toMatchObject({ held: false, finding: { severity: 'note' } });
    expect(checkLock({ ...config, databaseUrl: 'postgres://x/y' }).held).toBe(false);
  });

  it.each([
    [undefined, false, 'ok'],
    [undefined, true, 'warning'],
    ['https://ads.example.com', true, 'ok'],
    ['http://localhost:3000', false, 'ok'],
    ['http://ads.example.com', false, 'error'],
  ])('public URL %s (production: %s): %s', (publicUrl, production, severity) => {
    const given = publicUrl === undefined ? config : { ...config, publicUrl };
    expect(checkPublicUrl(given, production, 'http://127.0.0.1:3000').severity).toBe(severity);
  });
});
