/** The table of docs/security.md: every requirement names a test that there is. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const text = readFileSync(`${root}docs/security.md`, 'utf8');
const rows = [...text.matchAll(/^\| (V\d+\.\d+\.\d+) \| ([^|]+) \| `([^`]+)` "([^|]+)" \|$/gm)].map(
  ([, requirement, what, file, title]) => ({ requirement, what, file, title }) as Record<string, string>,
);

describe('docs/security.md', () => {
  it('has a table of requirements, each of them once', () => {
    const section = text.slice(text.indexOf('## OWASP ASVS'));
    expect(rows.length).toBe((section.match(/^\| V\d/gm) ?? []).length);
    expect(rows.length).toBeGreaterThan(60);
    expect(new Set(rows.map(({ requirement }) => requirement)).size).toBe(rows.length);
  });

  it.each(rows)('$requirement is proved by a test that there is: $title', ({ file, title }) => {
    expect(existsSync(root + file)).toBe(true);
    const code = readFileSync(root + file, 'utf8');
    // The title of a test, not some text: behind `it(` or as the name of a table.
    const at = code.indexOf(`('${title}'`);
    expect(at).toBeGreaterThan(0);
    expect(code.slice(0, at)).toMatch(/(?:\bit|\]|\))$/);
  });
});
