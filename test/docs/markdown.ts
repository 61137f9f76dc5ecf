/** Reads the fenced samples of a Markdown file, with what the comment before each says of it. */
import { readFileSync } from 'node:fs';

/** One fenced block. */
export interface Sample {
  language: string;
  text: string;
  /** Line of the opening fence, from 1. */
  line: number;
  /** Why it is not run: `<!-- not run: reason -->`. */
  notRun?: string;
  /** What its answer is remembered as: `<!-- save CAMPAIGN_ID=id -->` keeps member `id` of the JSON it prints. */
  save: { variable: string; member: string }[];
  /** The JSON block that follows at once: what it prints. */
  answer?: unknown;
}

const COMMENT = /^<!--\s*(not run:|save)\s*(.+?)\s*-->$/;

/** All samples of a file, in order; a `json` block behind another block becomes the answer of that block. */
export function samplesOf(file: string): Sample[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  const samples: Sample[] = [];
  let comments: RegExpExecArray[] = [];
  let previous: Sample | undefined;
  for (let index = 0; index < lines.length; index += 1) {
    const text = lines[index] as string;
    const comment = COMMENT.exec(text);
    const fence = /^```(\w*)$/.exec(text);
    if (comment !== null) comments.push(comment);
    else if (fence !== null) {
      const line = index + 1;
      const body: string[] = [];
      for (index += 1; lines[index] !== '```'; index += 1) {
        if (index >= lines.length) throw new Error(`${file}:${line}: the fence is not closed`);
        body.push(lines[index] as string);
      }
      const sample: Sample = { language: fence[1] as string, text: body.join('\n'), line, save: [] };
      for (const [, kind, value] of comments)
        if (kind === 'not run:') sample.notRun = value as string;
        else
          for (const pair of (value as string).split(/\s+/)) {
            const [variable = '', member = ''] = pair.split('=');
            sample.save.push({ variable, member });
          }
      comments = [];
      if (sample.language === 'json' && previous !== undefined) {
        previous.answer = JSON.parse(sample.text);
        previous = undefined;
      } else {
        samples.push(sample);
        previous = sample;
      }
    } else if (text.trim() !== '') {
      // Prose between a block and the next: a JSON block after it is one of its own. One line may introduce the answer.
      if (!/^(It )?[Aa]nswers?.*:$/.test(text)) previous = undefined;
      comments = [];
    }
  }
  return samples;
}

/** A member by a dotted path; numbers are places in lists. */
export const memberOf = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], value);

/** Words that mean the same in every run: codes and enumeration values. Other texts, and numbers, differ from run to run. */
const FIXED = /^([A-Z][A-Z_]+|[a-z]+(_[a-z]+)+)$/;

/**
 * Where `actual` is not what a documented `expected` promises: every member that the sample shows must be there, of the
 * same type, and equal where it is a code, an enumeration value or a boolean. Empty = fits.
 */
export function differences(expected: unknown, actual: unknown, at = 'answer'): string[] {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return [`${at} is no list`];
    if (actual.length < expected.length) return [`${at} has ${actual.length} members, not ${expected.length}`];
    return expected.flatMap((one, index) => differences(one, actual[index], `${at}.${index}`));
  }
  if (expected !== null && typeof expected === 'object') {
    if (actual === null || typeof actual !== 'object') return [`${at} is no object`];
    return Object.entries(expected).flatMap(([name, value]) =>
      name in actual
        ? differences(value, (actual as Record<string, unknown>)[name], `${at}.${name}`)
        : [`${at}.${name} is missing`],
    );
  }
  if (typeof expected !== typeof actual)
    return [`${at} is ${JSON.stringify(actual)}, not like ${JSON.stringify(expected)}`];
  const fixed = typeof expected === 'boolean' || (typeof expected === 'string' && FIXED.test(expected));
  return fixed && expected !== actual ? [`${at} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`] : [];
}
