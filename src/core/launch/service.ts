/** The way to a platform's production access: gathers evidence, asks the operator, says what would fail today. */

import type { VaultAdmin } from '../auth/secrets/admin.ts';
import type { PlatformUsage } from '../calls/usage.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { ENVIRONMENTS } from '../connector/hosts.ts';
import type { LaunchSpec } from '../connector/launch-spec.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { HttpClient } from '../http/client.ts';
import type { AppCredentialsService } from '../integrations/app-credentials.ts';
import type { Store } from '../store/port.ts';
import {
  addLaunchSubmission,
  consentCounts,
  decideLaunchSubmission,
  getIntegration,
  listApiKeys,
  listLaunchAnswers,
  listLaunchSubmissions,
  putLaunchAnswers,
  revocationCounts,
  trafficPeaks,
  usageTotals,
} from '../store/repositories/index.ts';
import type { LaunchSnapshot, LaunchSubmissionRow, WorkspaceRow } from '../store/schema.ts';
import { answered, readAnswers } from './answers.ts';
import { answerChecks, answerOf, CHECKS, type LaunchFacts } from './checks.ts';
import { dataSecurity, MANAGERS } from './data-security.ts';
import { type Dossier, dossierOf } from './document.ts';
import { visitPage } from './pages.ts';
import { compareScopes, endpointUses } from './scopes.ts';
import { neededLevel } from './traffic.ts';
import type { CheckResult, CheckStatus, LaunchReport, StepResult, SubmissionView } from './types.ts';

export interface LaunchParts {
  config: Config;
  store: Store;
  registry: PlatformRegistry;
  clock: Clock;
  apps: AppCredentialsService;
  vault: VaultAdmin;
  usage: PlatformUsage;
  /** A client that trusts nobody: pages are opened under the rules for addresses that users give. */
  http: HttpClient;
  publicUrl(): string;
}

const worst = (checks: readonly { status: CheckStatus }[]): CheckStatus =>
  checks.some(({ status }) => status === 'fails')
    ? 'fails'
    : checks.some(({ status }) => status === 'open')
      ? 'open'
      : 'ok';

export class LaunchService {
  readonly #parts: LaunchParts;

  constructor(parts: LaunchParts) {
    this.#parts = parts;
  }

  /** The platform and its way. @throws PolyadError `integration_not_found`, `method_unsupported` (no review to pass). */
  spec(type: string): { platform: Platform; spec: LaunchSpec } {
    const platform = this.#parts.registry.get(type);
    if (platform.launch === undefined)
      throw new PolyadError('method_unsupported', {
        message: `${platform.manifest.name} has no described way to production access.`,
        details: {
          supported: this.#parts.registry
            .all()
            .filter(({ launch }) => launch !== undefined)
            .map(({ manifest }) => manifest.type),
        },
      });
    return { platform, spec: platform.launch };
  }

  async report(workspace: WorkspaceRow, type: string, signal?: AbortSignal): Promise<LaunchReport> {
    const { clock } = this.#parts;
    const { platform, spec } = this.spec(type);
    const facts = await this.#facts(workspace, platform, spec, signal);
    const steps = spec.steps.map((step): StepResult => {
      const checks = step.checks.flatMap((name): CheckResult[] =>
        name === 'answers' ? answerChecks(facts, step.questions) : [{ id: name, ...CHECKS[name](facts) }],
      );
      return { ...step, questions: [...step.questions], checks, status: worst(checks) };
    });
    const found = steps.flatMap((step) => step.checks.map((check) => ({ step: step.id, ...check })));
    const submissions = await listLaunchSubmissions(this.#parts.store.db, workspace.id, platform.manifest.type);
    return {
      integration_type: platform.manifest.type,
      name: platform.manifest.name,
      portal: spec.portal,
      generated_at: clock.now().toISOString(),
      ready: found.every(({ status }) => status === 'ok'),
      steps,
      would_fail: unique(
        found
          .filter(({ status }) => status === 'fails')
          .map(({ id, step, title, evidence, fix }) => ({
            id,
            step,
            title,
            reason: evidence.join(' '),
            fix: fix ?? '',
          })),
      ),
      open: unique(
        found
          .filter(({ status }) => status === 'open')
          .map(({ id, step, title, fix }) => ({ id, step, title, fix: fix ?? '' })),
      ),
      questions: [...facts.questions],
      scopes: facts.scopes,
      endpoints: [...facts.endpoints],
      traffic: facts.traffic,
      data_security: await this.#dataSecurity(workspace, facts),
      timeline: [...spec.timeline],
      submissions: submissions.map(submissionView),
      re_review: changesSince(submissions, snapshotOf(facts), spec),
    };
  }

  /** What is sent to the reviewer. */
  async dossier(workspace: WorkspaceRow, type: string, signal?: AbortSignal): Promise<Dossier> {
    const { config, store, vault, publicUrl } = this.#parts;
    const report = await this.report(workspace, type, signal);
    const { place, keys } = await vault.status();
    const wrapped = keys.find(({ state }) => state === 'active')?.wrapped_by;
    const product = report.questions.find(({ key }) => key === 'app.name')?.value;
    return dossierOf(report, this.spec(type).spec, {
      platform: report.portal.name,
      product: typeof product === 'string' ? product : 'Your product',
      database: store.engine === 'postgres' ? 'PostgreSQL' : 'Embedded database',
      secrets:
        place === 'vault'
          ? wrapped === undefined
            ? 'master key of the server'
            : 'key management service'
          : MANAGERS[place],
      address: publicUrl(),
      callLogDays: config.callLogDays,
    });
  }

  /** Stores answers of the operator; null takes one back. @throws PolyadError `input_invalid`. */
  async answer(
    workspace: WorkspaceRow,
    type: string,
    answers: Readonly<Record<string, unknown>>,
    by: string,
  ): Promise<void> {
    const { platform, spec } = this.spec(type);
    const { store, clock } = this.#parts;
    const read = readAnswers(spec, answers);
    await store.db
      .transaction()
      .execute((trx) => putLaunchAnswers(trx, workspace.id, platform.manifest.type, read, by, clock.now()));
  }

  /** Notes that the review was asked for, as everything stands now. */
  async submit(workspace: WorkspaceRow, type: string, note: string): Promise<SubmissionView> {
    const { platform, spec } = this.spec(type);
    const { store, clock } = this.#parts;
    const facts = await this.#facts(workspace, platform, spec, undefined, { visit: false });
    const row = await addLaunchSubmission(store.db, workspace.id, platform.manifest.type, {
      submittedAt: clock.now(),
      note,
      snapshot: snapshotOf(facts),
    });
    return submissionView(row);
  }

  /** Notes how a review ended. @throws PolyadError `record_not_found`. */
  async decide(
    workspace: WorkspaceRow,
    id: string,
    outcome: 'approved' | 'refused',
    note: string | undefined,
  ): Promise<SubmissionView> {
    const { store, clock } = this.#parts;
    const row = await decideLaunchSubmission(store.db, workspace.id, id, outcome, note, clock.now());
    if (row === undefined)
      throw new PolyadError('record_not_found', { message: `There is no submission \`${id}\`.`, details: { id } });
    return submissionView(row);
  }

  async #facts(
    workspace: WorkspaceRow,
    platform: Platform,
    spec: LaunchSpec,
    signal?: AbortSignal,
    { visit = true } = {},
  ): Promise<LaunchFacts> {
    const { store, config, usage, http, apps, publicUrl } = this.#parts;
    const { type, id } = platform.manifest;
    await usage.flush();
    const { db } = store;
    const totals = await usageTotals(db, workspace.id, type);
    const questions = answered(spec, await listLaunchAnswers(db, workspace.id, type));
    const configured = await this.#configuredScopes(workspace.id, type);
    const told = answerOf({ questions }, 'app.scopes') as string[] | undefined;
    const requested = told ?? configured;
    const source = told !== undefined ? 'operator' : configured !== undefined ? 'settings' : 'none';
    const open = async (key: string) => {
      const url = answerOf({ questions }, key);
      return typeof url === 'string' && visit ? visitPage(http, url, signal) : undefined;
    };
    const [website, policy] = await Promise.all([open('app.website'), open('app.privacy_policy')]);
    const credentials: string[] = [];
    for (const environment of ENVIRONMENTS)
      if ((await apps.get(workspace.id, type, environment)) !== undefined) credentials.push(environment);
    const level = config.quotaTiers?.get(id) ?? spec.levels[0]?.name ?? '';
    const peaks = await trafficPeaks(db, workspace.id, type);
    const customers = Number(answerOf({ questions }, 'traffic.customers') ?? Number.NaN);
    const needed = await neededLevel(db, workspace.id, type, spec.levels, peaks, customers);
    const base = `${publicUrl()}/connect/callback/${type}`;
    return {
      name: platform.manifest.name,
      spec,
      questions,
      scopes: compareScopes(spec, requested, source, totals),
      endpoints: endpointUses(spec, totals),
      traffic: { peaks, level, ...(needed === undefined ? {} : { needed }) },
      apps: credentials,
      website,
      policy,
      consents: await consentCounts(db, workspace.id, type),
      revocations: await revocationCounts(db, workspace.id, type),
      publicUrl: publicUrl(),
      callbacks: [base],
      engine: store.engine,
      hasSandbox: platform.manifest.hosts.sandbox !== undefined,
    };
  }

  /** Scopes that the integration's settings ask for, in whichever environment they are set; production's first. */
  async #configuredScopes(workspaceId: string, type: string): Promise<string[] | undefined> {
    for (const environment of ENVIRONMENTS) {
      const row = await getIntegration(this.#parts.store.db, workspaceId, type, environment);
      if (row?.settings.scopes !== undefined) return row.settings.scopes;
    }
    return undefined;
  }

  async #dataSecurity(workspace: WorkspaceRow, facts: LaunchFacts): Promise<LaunchReport['data_security']> {
    const { vault, store, config } = this.#parts;
    return dataSecurity({
      status: await vault.status(),
      keys: (await listApiKeys(store.db, workspace.id)).filter((key) => key.revoked_at === null),
      config,
      facts,
    });
  }
}

/** One entry per finding, though several steps may look at it. */
function unique<T extends { id: string }>(found: readonly T[]): T[] {
  const seen = new Set<string>();
  return found.filter(({ id }) => !seen.has(id) && seen.add(id) !== undefined);
}

function snapshotOf(facts: LaunchFacts): LaunchSnapshot {
  const policy = answerOf(facts, 'app.privacy_policy');
  return {
    scopes: facts.scopes.scopes.filter(({ verdict }) => verdict !== 'missing').map(({ scope }) => scope),
    redirect_uris: (answerOf(facts, 'app.redirect_uris') as string[] | undefined) ?? [],
    ...(typeof policy === 'string' ? { privacy_policy: policy } : {}),
  };
}

const submissionView = ({
  id,
  outcome,
  note,
  snapshot,
  submitted_at,
  outcome_at,
}: LaunchSubmissionRow): SubmissionView => ({
  id,
  submitted_at: submitted_at.toISOString(),
  outcome,
  ...(outcome_at === null ? {} : { outcome_at: outcome_at.toISOString() }),
  note,
  snapshot,
});

/** What differs from the last review that was not refused. */
function changesSince(
  submissions: readonly LaunchSubmissionRow[],
  now: LaunchSnapshot,
  spec: LaunchSpec,
): LaunchReport['re_review'] {
  const last = submissions.find(({ outcome }) => outcome !== 'refused')?.snapshot;
  if (last === undefined) return { needed: false, reasons: [] };
  const name = (scope: string): string => `${spec.scopes[scope]?.name ?? scope} (${scope})`;
  const added = now.scopes.filter((scope) => !last.scopes.includes(scope)).map(name);
  const dropped = last.scopes.filter((scope) => !now.scopes.includes(scope)).map(name);
  const addresses = now.redirect_uris.filter((address) => !last.redirect_uris.includes(address));
  const reasons = [
    ...(added.length === 0 ? [] : [`Scopes were added: ${added.join(', ')}. ${spec.scopeChange}`]),
    ...(dropped.length === 0 ? [] : [`Scopes were taken away: ${dropped.join(', ')}. ${spec.scopeChange}`]),
    ...(addresses.length === 0 ? [] : [`Redirect addresses were added: ${addresses.join(', ')}.`]),
    ...(now.privacy_policy === last.privacy_policy ? [] : ['The privacy policy lies at another address.']),
  ];
  return { needed: reasons.length > 0, reasons };
}
