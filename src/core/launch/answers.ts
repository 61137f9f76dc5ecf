/** Answers of the operator: checked by what the question wants, kept with date and author. */
import type { LaunchQuestion, LaunchSpec } from '../connector/launch-spec.ts';
import { PolyadError } from '../errors/index.ts';
import type { LaunchAnswerRow } from '../store/schema.ts';
import type { AnsweredQuestion } from './types.ts';

const LONGEST = 4_000;

type Issue = { path: string; reason: string };

/** The answers as they are stored; null takes one back. @throws PolyadError `input_invalid` with every wrong one. */
export function readAnswers(spec: LaunchSpec, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const issues: Issue[] = [];
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const question = spec.questions.find((one) => one.key === key);
    if (question === undefined)
      issues.push({
        path: key,
        reason: `is no question; known are ${spec.questions.map((one) => one.key).join(', ')}`,
      });
    else if (value === null) out[key] = null;
    else {
      const read = readAnswer(spec, question, value);
      if ('reason' in read) issues.push({ path: key, reason: read.reason });
      else out[key] = read.value;
    }
  }
  if (issues.length > 0) throw new PolyadError('input_invalid', { details: { issues } });
  return out;
}

function readAnswer(
  spec: LaunchSpec,
  { kind, choices }: LaunchQuestion,
  value: unknown,
): { value: unknown } | { reason: string } {
  const list = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [value];
  const texts = list.map((one) => String(one).trim()).filter((one) => one !== '');
  switch (kind) {
    case 'number': {
      const number = Number(value);
      return Number.isFinite(number) && number >= 0 ? { value: number } : { reason: 'must be a number of 0 or more' };
    }
    case 'choice':
      return choices?.includes(String(value)) === true
        ? { value: String(value) }
        : { reason: `must be one of ${choices?.join(', ')}` };
    case 'url':
      return isUrl(value) ? { value: String(value).trim() } : { reason: 'must be an address with http:// or https://' };
    case 'urls': {
      const wrong = texts.find((one) => !isUrl(one));
      return wrong === undefined ? { value: texts } : { reason: `\`${wrong.slice(0, 200)}\` is not an address` };
    }
    case 'scopes': {
      const wrong = texts.find((one) => spec.scopes[one] === undefined);
      return wrong === undefined
        ? { value: [...new Set(texts)] }
        : { reason: `\`${wrong.slice(0, 60)}\` is no scope of this platform` };
    }
    default: {
      const text = String(value).trim();
      return text !== '' && text.length <= LONGEST
        ? { value: text }
        : { reason: `must be a text of 1 to ${LONGEST} characters` };
    }
  }
}

const isUrl = (value: unknown): boolean =>
  typeof value === 'string' &&
  value.length <= 2_000 &&
  /^https?:\/\//i.test(value.trim()) &&
  URL.canParse(value.trim());

/** Every question with its answer, if there is one. */
export function answered(spec: LaunchSpec, rows: readonly LaunchAnswerRow[]): AnsweredQuestion[] {
  const byKey = new Map(rows.map((row) => [row.key, row]));
  return spec.questions.map((question) => {
    const row = byKey.get(question.key);
    return row === undefined
      ? { ...question }
      : {
          ...question,
          value: row.value,
          answered_at: row.answered_at.toISOString(),
          answered_by: row.answered_by,
        };
  });
}
