/** A dossier for a reviewer, as text, tables and one picture; `html.ts` and `pdf.ts` draw it. */
import type { LaunchSpec } from '../connector/launch-spec.ts';
import { dataFlow, type Flow } from './figure.ts';
import type { CheckStatus, LaunchReport, ScopeResult } from './types.ts';

export type Tone = 'good' | 'warn' | 'bad';

export interface Cell {
  text: string;
  tone?: Tone;
  strong?: boolean;
  number?: boolean;
}

export type Block =
  | { kind: 'text'; text: string }
  | { kind: 'list'; items: string[]; ordered?: boolean }
  /** `widths`: shares of the width, in twelfths. */
  | { kind: 'table'; head: string[]; rows: Cell[][]; widths: number[] }
  | { kind: 'pairs'; rows: [string, string][] }
  | { kind: 'notice'; tone: Tone; title: string; items: string[] }
  | { kind: 'figure'; svg: string; caption: string };

export interface Section {
  title: string;
  /** Begins on a new page where there are pages. */
  page?: boolean;
  blocks: Block[];
}

export interface Dossier {
  title: string;
  subtitle: string;
  /** Under the title on the first page. */
  facts: [string, string][];
  sections: Section[];
  footer: string;
}

const WORDS: Record<CheckStatus, { text: string; tone: Tone }> = {
  ok: { text: 'done', tone: 'good' },
  open: { text: 'open', tone: 'warn' },
  fails: { text: 'would fail', tone: 'bad' },
};

const VERDICTS: Record<ScopeResult['verdict'], { text: string; tone: Tone }> = {
  used: { text: 'used', tone: 'good' },
  wider: { text: 'wider than used', tone: 'warn' },
  unused: { text: 'not used', tone: 'bad' },
  missing: { text: 'not asked for', tone: 'bad' },
};

const said = (report: LaunchReport, key: string): string => {
  const value = report.questions.find((question) => question.key === key)?.value;
  return value === undefined ? 'not answered' : Array.isArray(value) ? value.join('\n') : String(value);
};

const dated = (report: LaunchReport, key: string): string => {
  const question = report.questions.find((one) => one.key === key);
  return question?.answered_at === undefined
    ? 'not answered'
    : `${String(question.value).replaceAll('_', ' ')} (as of ${question.answered_at.slice(0, 10)})`;
};

/** Names of questions and commands stand between backticks, which nobody draws here. */
const plain = (report: LaunchReport): LaunchReport =>
  JSON.parse(JSON.stringify(report, (_key, value) => (typeof value === 'string' ? value.replaceAll('`', '') : value)));

/** Puts the dossier together. */
export function dossierOf(found: LaunchReport, spec: LaunchSpec, flow: Flow): Dossier {
  const report = plain(found);
  const app = said(report, 'app.name');
  const company = said(report, 'organization.name');
  return {
    title: `${app === 'not answered' ? 'Application' : app} for ${report.portal.name}`,
    subtitle: 'App review dossier',
    facts: [
      ['Company', company],
      ['Website', said(report, 'app.website')],
      ['Privacy policy', said(report, 'app.privacy_policy')],
      ['Developer registration', dated(report, 'organization.verification')],
      ['Business verification', dated(report, 'business.verification')],
      ['Date', report.generated_at.slice(0, 10)],
    ],
    sections: [
      ...obstacles(report),
      theApp(report),
      permissions(report),
      {
        title: 'How data flows',
        page: true,
        blocks: [
          {
            kind: 'figure',
            svg: dataFlow(flow),
            caption: 'Systems that handle the customer’s authorization and data.',
          },
          {
            kind: 'text',
            text: `The customer consents on a page of ${report.name} itself. The code that comes back is exchanged by the server, never in the browser. The product calls the server with a key of its own and never sees a token of the customer.`,
          },
        ],
      },
      {
        title: 'Data security',
        page: true,
        blocks: [{ kind: 'pairs', rows: report.data_security.map(({ question, answer }) => [question, answer]) }],
      },
      exercised(report),
      traffic(report),
      {
        title: 'Demonstration for the reviewer',
        blocks: [
          {
            kind: 'text',
            text: 'Each step can be followed on the running product; the checklist at the end says what was gone through already.',
          },
          { kind: 'list', items: [...spec.demo], ordered: true },
        ],
      },
      checklist(report),
    ],
    footer: `${app === 'not answered' ? report.name : app} · app review dossier · ${report.generated_at.slice(0, 10)}`,
  };
}

/** What stands in the way; absent when nothing does. */
function obstacles({ would_fail, open, re_review }: LaunchReport): Section[] {
  const blocks: Block[] = [];
  if (would_fail.length > 0)
    blocks.push({
      kind: 'notice',
      tone: 'bad',
      title: 'This would fail the review today',
      items: would_fail.map(({ title, reason, fix }) => `${title}: ${reason} ${fix}`.trim()),
    });
  if (open.length > 0)
    blocks.push({
      kind: 'notice',
      tone: 'warn',
      title: 'This is open',
      items: open.map(({ title, fix }) => `${title}. ${fix}`),
    });
  if (re_review.needed)
    blocks.push({ kind: 'notice', tone: 'warn', title: 'Changed since the last review', items: re_review.reasons });
  return blocks.length === 0 ? [] : [{ title: 'Draft: not ready to submit', page: true, blocks }];
}

function theApp(report: LaunchReport): Section {
  return {
    title: 'The application',
    page: true,
    blocks: [
      { kind: 'text', text: said(report, 'app.use_case') },
      {
        kind: 'pairs',
        rows: [
          ['Name', said(report, 'app.name')],
          ['Website', said(report, 'app.website')],
          ['Privacy policy', said(report, 'app.privacy_policy')],
          ['Redirect addresses', said(report, 'app.redirect_uris')],
        ],
      },
    ],
  };
}

function permissions({ scopes }: LaunchReport): Section {
  const list: readonly ScopeResult[] =
    scopes.source === 'none'
      ? scopes.least.map((scope) => ({ ...scope, verdict: 'used', operations: [] }))
      : scopes.scopes;
  return {
    title: 'Permissions, and what needs them',
    blocks: [
      {
        kind: 'text',
        text:
          scopes.source === 'none'
            ? 'The fewest permissions with which everything works that the product has called so far.'
            : 'Every permission that is asked for, with the endpoints for which the product uses it, counted from its own calls.',
      },
      {
        kind: 'table',
        head: ['Permission', 'Name', 'Verdict', 'Used for (calls)'],
        widths: [2, 3, 2, 5],
        rows: list.map(({ scope, name, verdict, operations }) => [
          { text: scope },
          { text: name, strong: true },
          VERDICTS[verdict],
          { text: operations.map(({ operation, calls }) => `${operation} (${calls})`).join(', ') || '–' },
        ]),
      },
    ],
  };
}

function exercised({ endpoints, portal }: LaunchReport): Section {
  const environments = ['simulator', 'sandbox', 'production'] as const;
  return {
    title: 'Endpoints that were exercised',
    page: true,
    blocks: [
      {
        kind: 'text',
        text: `Calls and refusals by environment. The simulator speaks the protocol of ${portal.name} on the developer’s machine; the sandbox is the platform’s own.`,
      },
      {
        kind: 'table',
        head: [
          'Endpoint',
          'Permission',
          ...environments.map((name) => name[0]?.toUpperCase() + name.slice(1)),
          'Refusals met',
        ],
        widths: [3, 2, 1.4, 1.3, 1.5, 2.8],
        rows: endpoints.map(({ operation, scopes, environments: counts }) => [
          { text: operation, strong: true },
          { text: scopes.map(({ scope }) => scope).join(', ') || 'none' },
          ...environments.map((name): Cell => ({ text: String(counts[name]?.calls ?? '–'), number: true })),
          {
            text:
              [
                ...new Set(
                  Object.values(counts).flatMap(({ codes }) =>
                    Object.entries(codes).map(([code, count]) => `${code} ${count}`),
                  ),
                ),
              ].join(', ') || '–',
          },
        ]),
      },
    ],
  };
}

function traffic({ traffic: { peaks, level, needed }, timeline }: LaunchReport): Section {
  return {
    title: 'Traffic, access level and time line',
    blocks: [
      {
        kind: 'table',
        head: ['Environment', 'Most calls in a minute', 'Most calls in a day'],
        widths: [4, 4, 4],
        rows: peaks.map((peak) => [
          { text: peak.environment, strong: true },
          { text: String(peak.per_minute), number: true },
          { text: String(peak.per_day), number: true },
        ]),
      },
      {
        kind: 'text',
        text:
          needed === undefined
            ? `Access level asked for: ${level}.`
            : `Access level asked for: ${needed.level}. ${needed.basis} Calls are paced by the server below the level’s limits, fairly between customers, before the platform has to refuse any.`,
      },
      {
        kind: 'table',
        head: ['Expected', 'Working days', 'Source'],
        widths: [4, 2, 6],
        rows: timeline.map(({ what, days, source }) => [
          { text: what, strong: true },
          { text: `${days[0]}–${days[1]}`, number: true },
          { text: source },
        ]),
      },
    ],
  };
}

function checklist({ steps }: LaunchReport): Section {
  return {
    title: 'Checklist with evidence',
    page: true,
    blocks: steps.flatMap((step, index): Block[] => [
      { kind: 'text', text: `${index + 1}. ${step.title}. ${step.what}` },
      {
        kind: 'table',
        head: ['Check', 'State', 'Evidence'],
        widths: [3.5, 1.8, 6.7],
        rows: step.checks.map(({ title, status, evidence }) => [
          { text: title, strong: true },
          WORDS[status],
          { text: evidence.join(' ') },
        ]),
      },
    ]),
  };
}
