/** Every claim of the TikTok guide names a proof that exists: a test, or a document of TikTok's. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const GUIDE = readFileSync(join(ROOT, 'docs/guides/tiktok-access.md'), 'utf8');

/** Rows of the tables: claim and proof. */
const claims = GUIDE.split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter((cells) => cells.at(-2) !== 'Proof' && cells.at(-2) !== 'Source')
  .map((cells) => ({ claim: cells[1] as string, proof: cells.at(-2) as string }));

describe('the TikTok guide', () => {
  it('makes claims', () => expect(claims.length).toBeGreaterThan(15));

  it.each(claims)('$claim', ({ proof }) => {
    const path = /^`([^`]+)`$/.exec(proof)?.[1];
    if (path === undefined) expect(proof).toMatch(/^(TikTok docs|business-api\.tiktok\.com)/);
    else expect(existsSync(join(ROOT, path)), path).toBe(true);
  });
});
