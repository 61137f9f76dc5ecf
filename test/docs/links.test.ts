/** What the written documentation points to must be there: files, headings, settings, error codes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VARIABLES } from '../../src/core/config.ts';
import { ERRORS } from '../../src/core/errors/index.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');
const GUIDES = readdirSync(join(ROOT, 'docs/guides')).map((name) => `docs/guides/${name}`);
const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'docs/operations.md',
  ...GUIDES,
];

/** Fenced blocks are samples of other places; links and paths are looked for outside. */
const prose = (page: string): string => read(page).replace(/^```[\s\S]*?^```$/gm, '');

/** The anchor that code hosts make of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[`*]/g, '')
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replace(/ /g, '-');
const anchorsOf = (page: string): Set<string> =>
  new Set([...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading as string)));

describe.each(PAGES)('%s', (page) => {
  it('links to files and headings that exist', () => {
    const dead = [...prose(page).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)]
      .map(([, link, source]) => link ?? source ?? '')
      .filter((link) => !/^(https?:|mailto:)/.test(link))
      .filter((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        if (!existsSync(join(ROOT, target))) return true;
        return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor);
      });
    expect(dead).toEqual([]);
  });

  it('names paths that exist', () => {
    // `src/…` and the like between backticks; `<id>`, `*` and `{a,b}` stand for several.
    const missing = [...prose(page).matchAll(/`((?:src|test|scripts|docs|bench|bin|\.ci)\/[^`\s]*)`/g)]
      .map(([, path]) => path as string)
      .filter((path) => !/[<>*…]/.test(path))
      .flatMap((path) => {
        const braces = /^(.*)\{([^}]+)\}(.*)$/.exec(path);
        return braces === null
          ? [path]
          : (braces[2] as string).split(',').map((one) => `${braces[1]}${one}${braces[3]}`);
      })
      .filter((path) => !existsSync(resolve(ROOT, path)));
    expect(missing).toEqual([]);
  });

  it('names error codes that exist', () => {
    // Tables whose first column is `Code`, and `code` members of samples.
    const tables = [...read(page).matchAll(/^\| Code \|.*\n\|[ -|]+\n((?:\|.*\n)+)/gm)].map(
      ([, rows]) => rows as string,
    );
    const codes = tables.flatMap((rows) => [...rows.matchAll(/^\| `(\w+)`/gm)].map(([, code]) => code as string));
    const shown = [...read(page).matchAll(/"code": "(\w+)"/g)].map(([, code]) => code as string);
    expect([...codes, ...shown].filter((code) => !(code in ERRORS))).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  it('tells of at least forty behaviours where they are', () => {
    const table = read('ARCHITECTURE.md').split('## Where do I find')[1] ?? '';
    expect([...table.matchAll(/^\| [^|]+ \| [^|]*`(?:src|test|scripts)\/[^|]+\|$/gm)].length).toBeGreaterThanOrEqual(
      40,
    );
  });
});

describe('docs/guides/configuration.md', () => {
  it('explains every variable, and no other', () => {
    const explained = [...read('docs/guides/configuration.md').matchAll(/^\| `([A-Z_<>]+)` \|/gm)].map(
      ([, name]) => name,
    );
    expect(explained.sort()).toEqual(Object.keys(VARIABLES).sort());
  });

  it('gives the defaults that are used', () => {
    const rows = new Map(
      [...read('docs/guides/configuration.md').matchAll(/^\| `([A-Z_<>]+)` \| ([^|]+) \|/gm)].map(([, name, shown]) => [
        name as string,
        (shown as string).replaceAll('`', ''),
      ]),
    );
    for (const [name, text] of Object.entries(VARIABLES)) {
      const [, used] = /Default:? `?([\w.]+)`?\.$/.exec(text) ?? [];
      if (used !== undefined) expect({ [name]: rows.get(name) }).toEqual({ [name]: used });
    }
  });
});
