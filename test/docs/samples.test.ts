/**
 * Every sample of README.md and docs/guides is run against a started server, in the order in which a reader meets them:
 * what a page shows must work when it is pasted into a shell. One server per page.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoApp, startDemoApp } from '../support/demo-app.ts';
import { differences, memberOf, type Sample, samplesOf } from './markdown.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs/guides')).map((name) => `docs/guides/${name}`)];
/** Languages that can be run. Others (json, text) are shown only. */
const RUNNABLE = new Set(['bash', 'sh', 'ts', 'js']);
/** A sample may not take longer, in ms. */
const PATIENCE_MS = 45_000;

/**
 * Stands in for `npm run -s polyad -- …` with what that script runs after its bootstrap: a test must not install packages.
 * The last case holds it to the package's own words.
 */
const NPM = `#!/bin/sh
while [ "$1" != "--" ]; do shift; done
shift
exec ${process.execPath} src/cli/main.ts "$@"
`;

interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** A day as `YYYY-MM-DD`: pages show fixed days, which leave the simulator's memory with time. */
const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

function run(command: string, args: readonly string[], cwd: string, env: Record<string, string>): Promise<Output> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: PATIENCE_MS, maxBuffer: 64 * 1024 * 1024 };
    execFile(command, args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

/** The last JSON value of an output, whatever text stands before it (npm prints what it runs). */
function jsonOf(stdout: string): unknown {
  const start = stdout.search(/^[[{]/m);
  try {
    return start < 0 ? undefined : JSON.parse(stdout.slice(start));
  } catch {
    return undefined;
  }
}

for (const page of PAGES) {
  const samples = samplesOf(join(ROOT, page)).filter(({ language }) => RUNNABLE.has(language));
  const runs = samples.filter(({ notRun }) => notRun === undefined);
  if (runs.length === 0) continue;

  describe(page, () => {
    let demo: DemoApp;
    /** Holds script samples; its node_modules is ours, as in a project that installed what the page names. */
    let project: string;
    let env: Record<string, string>;

    beforeAll(async () => {
      demo = await startDemoApp();
      const { ready } = demo;
      const tiktok = ready.simulators['tiktok'] as { url: string; control_url: string; advertiser_ids: string[] };
      env = {
        POLYAD_URL: ready.url,
        POLYAD_API_KEY: ready.api_key as string,
        POLYAD_DATA_DIR: demo.dataDir,
        WORKSPACE_ID: ready.workspace_id as string,
        CONNECTION_ID: ready.connections[0]?.id as string,
        ORG_ID: tiktok.advertiser_ids[0] as string,
        SIMULATOR_URL: tiktok.url,
        CONTROL_URL: tiktok.control_url,
        SINCE: daysAgo(82),
        START: daysAgo(21),
        END: daysAgo(14),
      };
      project = join(demo.dataDir, 'project');
      mkdirSync(project);
      symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
      writeFileSync(join(project, 'package.json'), '{"type":"module"}');
      const bin = join(demo.dataDir, 'bin');
      mkdirSync(bin);
      writeFileSync(join(bin, 'npm'), NPM, { mode: 0o755 });
      env['PATH'] = `${bin}:${process.env['PATH']}`;
    });
    afterAll(() => demo.close());

    const execute = (sample: Sample): Promise<Output> => {
      if (sample.language === 'bash' || sample.language === 'sh')
        return run('bash', ['-euo', 'pipefail', '-c', sample.text], ROOT, env);
      const file = join(project, `sample-${sample.line}.${sample.language}`);
      writeFileSync(file, sample.text);
      return run(process.execPath, [file], project, env);
    };

    for (const sample of runs)
      it(`line ${sample.line}: ${sample.text
        .split('\n')
        .find((line) => !line.startsWith('#'))
        ?.slice(0, 70)}`, async () => {
        const { code, stdout, stderr } = await execute(sample);
        const json = jsonOf(stdout);
        const all = `${stdout}\n${stderr}`;
        if (sample.answer === undefined) {
          expect({ code, all }).toEqual({ code: 0, all });
          // curl ends well whatever the server answers; an error must be announced by the page.
          expect(memberOf(json, 'statusCode'), all).toBeUndefined();
        } else expect(differences(sample.answer, json), all).toEqual([]);
        for (const { variable, member } of sample.save) {
          const value = memberOf(json, member);
          expect(value, `${member} in ${all}`).toEqual(expect.stringMatching(/./));
          env[variable] = value as string;
        }
      });
  });
}

describe('all samples', () => {
  it('say why they are not run', () => {
    for (const page of PAGES)
      for (const { notRun, line, language } of samplesOf(join(ROOT, page))) {
        expect(language, `${page}:${line}`).toMatch(/^(bash|sh|ts|js|json|text)$/);
        if (notRun !== undefined) expect(notRun.length, `${page}:${line}`).toBeGreaterThan(15);
      }
  });

  it('run the command line as the package does', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts['polyad']).toMatch(/ exec (?:env \S+=\S+ )*node_modules\/\.bin\/polyad-node src\/cli\/main\.ts$/);
  });

  it('are run, all but few', () => {
    const all = PAGES.flatMap((page) => samplesOf(join(ROOT, page))).filter(({ language }) => RUNNABLE.has(language));
    const skipped = all.filter(({ notRun }) => notRun !== undefined);
    expect(skipped.length).toBeLessThan(all.length / 3);
  });
});
