/** `polyad launch`: the way to a platform's production access. */
import { writeFile } from 'node:fs/promises';
import type { LaunchReport, StepResult } from '../../core/launch/types.ts';
import { type Client, connectTo, type TargetFlags } from '../client.ts';
import { usage } from '../errors.ts';
import { readData, readPair } from '../flags.ts';
import { print, readFormat } from '../output.ts';
import { stdoutStyle, withProgress } from '../terminal.ts';

export interface LaunchFlags extends TargetFlags {
  output?: string;
  answer?: string[];
  answers?: string;
  dossier?: string;
  submitted?: string | boolean;
  approved?: string;
  refused?: string;
  toProduction?: boolean;
  data?: string;
  anyway?: boolean;
}

/** Answers first, then the dossier, then what was decided; ends with the checklist. */
export async function launch(type: string, flags: LaunchFlags): Promise<void> {
  const format = readFormat(flags.output);
  const client = await connectTo(flags);
  const path = `/v1/launch/${encodeURIComponent(type)}`;
  const answers = await answersOf(flags);
  if (Object.keys(answers).length > 0) await client.json(`${path}/answers`, { method: 'PUT', body: { answers } });
  if (flags.dossier !== undefined) await dossier(client, path, flags.dossier);
  if (flags.submitted !== undefined)
    await client.json(`${path}/submissions`, {
      method: 'POST',
      body: { note: typeof flags.submitted === 'string' ? flags.submitted : '' },
    });
  for (const outcome of ['approved', 'refused'] as const) {
    const id = flags[outcome];
    if (id !== undefined)
      await client.json(`${path}/submissions/${encodeURIComponent(id)}`, { method: 'PATCH', body: { outcome } });
  }
  if (flags.toProduction === true) {
    print(await toProduction(client, path, flags), format);
    return;
  }
  const report = await withProgress('checking', async () => client.json<LaunchReport>(path));
  if (format === 'table') process.stdout.write(checklist(report));
  else print(report, format);
}

async function answersOf({ answer = [], answers }: LaunchFlags): Promise<Record<string, unknown>> {
  const read = answers === undefined ? {} : await readData(answers);
  if (read === null || typeof read !== 'object' || Array.isArray(read))
    throw usage('--answers wants a JSON object of questions and answers.');
  const single = answer.map((pair) => {
    const [key, value] = readPair(pair);
    return [key, value === '' ? null : value] as const;
  });
  return { ...read, ...Object.fromEntries(single) };
}

async function dossier(client: Client, path: string, file: string): Promise<void> {
  const format = /\.(pdf|html?)$/i.exec(file)?.[1]?.toLowerCase();
  if (format === undefined) throw usage(`\`${file}\` is neither a .pdf nor a .html file.`);
  const answer = await withProgress('writing the dossier', async () =>
    client.send(`${path}/dossier?format=${format === 'pdf' ? 'pdf' : 'html'}`),
  );
  await writeFile(file, Buffer.from(await answer.arrayBuffer()), { mode: 0o600 });
  process.stderr.write(`dossier written to ${file}\n`);
}

/** App id and secret come as JSON by --data (a file or stdin), so that no secret stands in a command line. */
async function toProduction(client: Client, path: string, { data, anyway }: LaunchFlags): Promise<unknown> {
  if (data === undefined)
    throw usage(
      '--to-production needs the app’s id and secret.',
      'Give them as JSON: --data @app.json, or --data - and type them on stdin.',
    );
  const given = (await readData(data)) as Record<string, unknown>;
  return client.json(`${path}/production`, {
    method: 'POST',
    body: { ...given, ...(anyway === true ? { anyway: true } : {}) },
  });
}

/** The checklist for people. */
function checklist(report: LaunchReport): string {
  const style = stdoutStyle();
  const mark = (status: StepResult['status']): string =>
    status === 'ok' ? style.green('done') : status === 'fails' ? style.red('fails') : style.yellow('open');
  const lines = report.steps.flatMap((step, index) => [
    `${style.bold(`${index + 1}. ${step.title}`)}  ${mark(step.status)}`,
    `   ${style.dim(step.what)}`,
    ...step.checks.flatMap((check) => [
      `   ${mark(check.status)}  ${check.title}`,
      ...check.evidence.map((text) => `         ${style.dim(text)}`),
      ...(check.status === 'ok' || check.fix === undefined ? [] : [`         ${check.fix}`]),
    ]),
    '',
  ]);
  const count = (list: readonly unknown[], one: string, many: string): string =>
    `${list.length} ${list.length === 1 ? one : many}`;
  const end = report.ready
    ? style.green('Ready to submit: polyad launch … --dossier dossier.pdf')
    : `${style.red(count(report.would_fail, 'thing would fail the review', 'things would fail the review'))}; ${count(report.open, 'thing is open', 'things are open')}.`;
  const again = report.re_review.needed
    ? [`${style.yellow('Another review is needed:')} ${report.re_review.reasons.join(' ')}`]
    : [];
  return `${[...lines, ...again, end].join('\n')}\n`;
}
