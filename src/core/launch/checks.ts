/** What polyad finds out by itself on the way to production access. One function for each name of the contract. */
import type { LaunchCheckName, LaunchSpec } from '../connector/launch-spec.ts';
import type { Environment } from '../connector/types.ts';
import type { PageVisit } from './pages.ts';
import { unsaid } from './pages.ts';
import type { AnsweredQuestion, CheckResult, EndpointUse, ScopeReport, TrafficReport } from './types.ts';

/** Something that happened in an environment, counted. */
export interface Occurrence {
  environment: string;
  count: number;
  last: Date;
}

/** Everything the checks look at, gathered once. */
export interface LaunchFacts {
  name: string;
  spec: LaunchSpec;
  questions: readonly AnsweredQuestion[];
  scopes: ScopeReport;
  endpoints: readonly EndpointUse[];
  traffic: TrafficReport;
  /** Environments with app credentials. */
  apps: readonly string[];
  website: PageVisit | undefined;
  policy: PageVisit | undefined;
  consents: readonly Occurrence[];
  revocations: readonly Occurrence[];
  publicUrl: string;
  /** Addresses of this server that the platform must send customers back to. */
  callbacks: readonly string[];
  engine: 'pglite' | 'postgres';
  hasSandbox: boolean;
}

type Check = (facts: LaunchFacts) => Omit<CheckResult, 'id'>;

export const answerOf = (facts: Pick<LaunchFacts, 'questions'>, key: string): unknown =>
  facts.questions.find((question) => question.key === key)?.value;

const times = (count: number, one = 'time'): string => `${count} ${one}${count === 1 ? '' : 's'}`;
const day = (date: Date): string => date.toISOString().slice(0, 10);

const happened = (found: readonly Occurrence[], what: string): string[] =>
  found.map(({ environment, count, last }) => `${what} ${times(count)} in ${environment}, last on ${day(last)}.`);

/** A redirect address as the review sees it; undefined = nothing wrong. */
function redirectFault(address: string, spec: LaunchSpec): string | undefined {
  const url = new URL(address);
  if (url.protocol === 'https:') return url.hash === '' ? undefined : `\`${address}\` has a fragment`;
  const local = url.hostname === 'localhost' || url.hostname === '127.0.0.1';
  const allowed = spec.redirects.localhostIn.join(', ');
  return local && allowed !== ''
    ? `\`${address}\` is not HTTPS: localhost is for ${allowed} only`
    : `\`${address}\` is not HTTPS`;
}

function page(visit: PageVisit | undefined, what: string, key: string): Omit<CheckResult, 'id'> | undefined {
  const title = `${what} can be opened`;
  if (visit === undefined)
    return {
      status: 'open',
      title,
      evidence: [`The address of the ${what.toLowerCase()} is not known.`],
      fix: `Answer \`${key}\`.`,
    };
  if (!visit.reached)
    return {
      status: 'fails',
      title,
      evidence: [`It cannot be opened from here: ${visit.reason}.`],
      fix: `Publish the page under an https address that anybody can open, and answer \`${key}\` with it.`,
    };
  return undefined;
}

/** How many calls in an environment were answered as hoped, and how many operations those were. */
function exercised(endpoints: readonly EndpointUse[], environment: Environment): { calls: number; worked: string[] } {
  let calls = 0;
  const worked: string[] = [];
  for (const { operation, environments } of endpoints) {
    const counts = environments[environment];
    if (counts === undefined) continue;
    calls += counts.calls;
    if (counts.calls > counts.failed) worked.push(operation);
  }
  return { calls, worked };
}

/** Scopes that calls needed, and for which no call in any environment was ever answered as hoped. */
function unproven({ scopes, endpoints }: LaunchFacts): string[] {
  const worked = new Set(
    endpoints
      .filter(({ environments }) => Object.values(environments).some(({ calls, failed }) => calls > failed))
      .map(({ operation }) => operation),
  );
  return scopes.scopes
    .filter(({ verdict }) => verdict === 'used' || verdict === 'wider')
    .filter(({ operations }) => !operations.some(({ operation }) => worked.has(operation)))
    .map(({ scope, name }) => `${name} (${scope})`);
}

export const CHECKS: Readonly<Record<Exclude<LaunchCheckName, 'answers'>, Check>> = {
  credentials: ({ apps, name }) => {
    const title = 'polyad has the app’s id and secret';
    const evidence = apps.map((environment) => `Stored, encrypted, for ${environment}.`);
    return apps.includes('production')
      ? { status: 'ok', title, evidence }
      : {
          status: 'open',
          title,
          evidence: [...evidence, 'Not stored for production.'],
          fix: `Store them with \`polyad launch … --to-production\` once ${name} has approved the app, or before.`,
        };
  },

  redirects: (facts) => {
    const { spec, callbacks } = facts;
    const title = 'Redirect addresses are HTTPS';
    const given = answerOf(facts, 'app.redirect_uris') as string[] | undefined;
    const known = given ?? [];
    const faults = known.flatMap((address) => redirectFault(address, spec) ?? []);
    if (known.length > spec.redirects.most)
      faults.push(`there are ${known.length} addresses, and an app may have ${spec.redirects.most}`);
    const secure = callbacks.filter((address) => address.startsWith('https:'));
    const unregistered = given === undefined ? [] : secure.filter((address) => !known.includes(address));
    for (const address of unregistered)
      faults.push(`\`${address}\`, where this server takes customers back, is not among them`);
    const evidence = known.map((address) => `Registered: ${address}`);
    if (faults.length > 0)
      return {
        status: 'fails',
        title,
        evidence: [...evidence, ...faults.map((fault) => `${fault[0]?.toUpperCase()}${fault.slice(1)}.`)],
        fix: 'Register HTTPS addresses only, this server’s among them, in the app’s settings, and answer `app.redirect_uris` with what is registered.',
      };
    if (given === undefined)
      return {
        status: 'open',
        title,
        evidence: ['Not known which are registered.'],
        fix: 'Answer `app.redirect_uris`.',
      };
    return { status: 'ok', title, evidence };
  },

  website: ({ website }) =>
    page(website, 'Website', 'app.website') ?? {
      status: 'ok',
      title: 'Website can be opened',
      evidence: [`Opened ${(website as { url: string }).url}.`],
    },

  privacy_policy: ({ policy, spec }) => {
    const fault = page(policy, 'Privacy policy', 'app.privacy_policy');
    if (fault !== undefined) return fault;
    const { text, url } = policy as { text: string; url: string };
    const lacking = unsaid(text, spec.policy);
    const title = 'Privacy policy says what it must';
    if (lacking.length === 0)
      return {
        status: 'ok',
        title,
        evidence: [`Opened ${url}.`, ...spec.policy.map(({ says }) => `It speaks of ${says}.`)],
      };
    return {
      status: 'fails',
      title,
      evidence: [`Opened ${url}.`, ...lacking.map(({ says }) => `It says nothing of ${says}.`)],
      fix: 'Add what is missing to the policy. The words are looked for in English.',
    };
  },

  scopes: ({ scopes, spec }) => {
    const title = 'No scope is asked for that is not used';
    if (scopes.source === 'none')
      return {
        status: 'open',
        title,
        evidence: [
          'Not known which scopes the app asks for.',
          ...(scopes.least.length === 0
            ? []
            : [`Calls so far needed ${scopes.least.map(({ scope, name }) => `${name} (${scope})`).join(', ')}.`]),
        ],
        fix: 'Answer `app.scopes` with what is ticked in the app.',
      };
    const of = (verdict: string) => scopes.scopes.filter((one) => one.verdict === verdict);
    const text = (list: readonly { scope: string; name: string }[]): string =>
      list.map(({ scope, name }) => `${name} (${scope})`).join(', ');
    const [unused, missing, wider] = [of('unused'), of('missing'), of('wider')];
    const evidence = [
      ...(unused.length === 0 ? [] : [`Asked for and never used: ${text(unused)}.`]),
      ...(missing.length === 0 ? [] : [`Used and not asked for: ${text(missing)}.`]),
      ...wider.map(
        ({ scope, name, narrower }) =>
          `${name} (${scope}) is wider than needed: ${(narrower ?? []).join(', ')} would do.`,
      ),
      ...(of('used').length === 0 ? [] : [`Used: ${text(of('used'))}.`]),
    ];
    if (unused.length > 0 || missing.length > 0)
      return { status: 'fails', title, evidence, fix: `Ask for what is used and nothing else. ${spec.scopeChange}` };
    return { status: 'ok', title, evidence };
  },

  consent: ({ consents }) => {
    const title = 'The authorization flow was gone through end to end';
    const evidence = happened(consents, 'A customer’s consent was exchanged for a token and tested');
    return consents.length > 0
      ? { status: 'ok', title, evidence }
      : {
          status: 'open',
          title,
          evidence: ['No connection was made yet.'],
          fix: 'Connect an account: `polyad connect`.',
        };
  },

  revocation: ({ revocations }) => {
    const title = 'A withdrawn grant was met and handled';
    const evidence = happened(
      revocations,
      'A withdrawn grant was recognised, calls stopped and the customer was asked to connect again',
    );
    return revocations.length > 0
      ? { status: 'ok', title, evidence }
      : {
          status: 'open',
          title,
          evidence: ['No grant was withdrawn yet.'],
          fix: 'Withdraw one at the simulator (`polyad simulator control`), call once, and connect again.',
        };
  },

  rehearsed: (facts) => {
    const title = 'Everything the app asks for was called';
    const { calls, worked } = exercised(facts.endpoints, 'simulator');
    const unknown = unproven(facts);
    const evidence = [
      `${times(calls, 'call')} in the simulator; ${times(worked.length, 'endpoint')} answered as hoped.`,
    ];
    if (calls === 0 || unknown.length > 0)
      return {
        status: 'open',
        title,
        evidence: [...evidence, ...unknown.map((scope) => `Never answered as hoped: ${scope}.`)],
        fix: 'Call what your product calls, in the simulator.',
      };
    return { status: 'ok', title, evidence };
  },

  sandbox: ({ endpoints, hasSandbox, name }) => {
    const title = 'The platform’s own sandbox was called';
    const { calls, worked } = exercised(endpoints, 'sandbox');
    if (!hasSandbox) return { status: 'ok', title, evidence: [`${name} has no sandbox.`] };
    if (worked.length > 0)
      return {
        status: 'ok',
        title,
        evidence: [`${times(calls, 'call')}; ${times(worked.length, 'endpoint')} answered as hoped.`],
      };
    return {
      status: 'open',
      title,
      evidence: [calls === 0 ? 'Not called yet.' : `${times(calls, 'call')}, none answered as hoped.`],
      fix: 'Connect the app’s sandbox account (`polyad connect … --env sandbox`) and call it.',
    };
  },

  refusals: ({ endpoints }) => {
    const title = 'Refusals of the platform are few';
    let calls = 0;
    const codes = new Map<string, number>();
    for (const { environments } of endpoints)
      for (const counts of Object.values(environments)) {
        calls += counts.calls;
        for (const [code, count] of Object.entries(counts.codes)) codes.set(code, (codes.get(code) ?? 0) + count);
      }
    const failed = [...codes.values()].reduce((sum, count) => sum + count, 0);
    if (calls === 0)
      return { status: 'open', title, evidence: ['Nothing was called yet.'], fix: 'Call what your product calls.' };
    const list = [...codes]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 8)
      .map(([code, count]) => `${code} ${count}`);
    return {
      status: 'ok',
      title,
      evidence: [
        `${failed} of ${times(calls, 'call')} were refused or failed${list.length === 0 ? '' : `: ${list.join(', ')}`}.`,
      ],
    };
  },

  storage: ({ engine }) =>
    engine === 'postgres'
      ? {
          status: 'ok',
          title: 'Data lies in a database made for production',
          evidence: ['PostgreSQL; secrets are encrypted in it, and their master key is not in it.'],
        }
      : {
          status: 'open',
          title: 'Data lies in a database made for production',
          evidence: ['The embedded database is in use: fine for a demonstration, without replica or online back-up.'],
          fix: 'Set DATABASE_URL before production traffic.',
        },

  https: ({ publicUrl }) =>
    publicUrl.startsWith('https:')
      ? { status: 'ok', title: 'Customers reach the server by HTTPS', evidence: [publicUrl] }
      : {
          status: 'open',
          title: 'Customers reach the server by HTTPS',
          evidence: [`This server is reached at ${publicUrl}.`],
          fix: 'Put it behind TLS and set POLYAD_PUBLIC_URL.',
        },

  quota: ({ traffic }) => {
    const title = 'The access level carries the traffic';
    const { needed, level, peaks } = traffic;
    const evidence = peaks.map(
      ({ environment, per_minute, per_day }) =>
        `At most ${times(per_minute, 'call')} in a minute and ${per_day} in a day in ${environment}.`,
    );
    if (needed === undefined)
      return { status: 'open', title, evidence: ['Nothing was measured yet.'], fix: 'Call what your product calls.' };
    return {
      status: 'ok',
      title,
      evidence: [
        ...evidence,
        `${needed.basis} ${needed.level === level ? `Level ${level} carries that.` : `That needs level ${needed.level}; the app has ${level}.`}`,
      ],
    };
  },
};

/** Whether the questions of a step are answered, one result for each that is not, or that tells of an obstacle. */
export function answerChecks(facts: LaunchFacts, keys: readonly string[]): CheckResult[] {
  return keys.flatMap((key): CheckResult[] => {
    const question = facts.questions.find((one) => one.key === key);
    if (question === undefined) return [];
    const { value, text, optional, passes, fails, answered_at } = question;
    const id = `answer:${key}` as const;
    if (value === undefined)
      return optional === true
        ? []
        : [{ id, status: 'open', title: text, evidence: ['Not answered.'], fix: `Answer \`${key}\`.` }];
    const said = `${Array.isArray(value) ? value.join(', ') : String(value)} (${answered_at?.slice(0, 10)}, ${question.answered_by}).`;
    if (fails?.includes(String(value)) === true)
      return [{ id, status: 'fails', title: text, evidence: [said], fix: question.help }];
    if (passes !== undefined && !passes.includes(String(value)))
      return [{ id, status: 'open', title: text, evidence: [said], fix: question.help }];
    return [{ id, status: 'ok', title: text, evidence: [said] }];
  });
}
