/** Leads of an ad account's forms: the platform's export is asked for, waited for, and passed on line by line. */
import type { Scope } from '../calls/scope.ts';
import type { Lead, LeadForm, LeadSpec } from '../connector/lead-spec.ts';
import type { OperationInput } from '../connector/object-spec.ts';
import { PolyadError } from '../errors/index.ts';
import type { Runtime } from '../runtime.ts';

/** Between two looks at an export, in ms: the first, the longest; and how long it is waited for in all. */
const FIRST_MS = 1_000;
const LONGEST_MS = 10_000;
const PATIENCE_MS = 5 * 60_000;

export class Leads {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  async #open(scope: Scope, orgId: string): Promise<{ spec: LeadSpec; input: OperationInput }> {
    const { connection } = scope;
    const platform = this.#runtime.registry.get(connection.integration_type);
    if (connection.is_paused) throw new PolyadError('connection_paused', { details: { connection_id: connection.id } });
    if (platform.leads === undefined)
      throw new PolyadError('method_unsupported', { message: `${platform.manifest.name} has no leads here.` });
    const ctx = this.#runtime.context(scope);
    return { spec: platform.leads, input: { ctx, organization: await ctx.organization(orgId), raw: {} } };
  }

  async forms(scope: Scope, orgId: string): Promise<LeadForm[]> {
    const { spec, input } = await this.#open(scope, orgId);
    return Array.fromAsync(spec.forms(input));
  }

  /**
   * The leads of one form.
   *
   * @throws PolyadError `platform_not_ready` when the platform takes longer than five minutes; what it answers.
   */
  async leads(scope: Scope, orgId: string, formId: string): Promise<AsyncIterable<Lead>> {
    const { clock } = this.#runtime;
    const { spec, input } = await this.#open(scope, orgId);
    const task = await spec.begin(input, formId);
    const until = clock.now().getTime() + PATIENCE_MS;
    for (let pause = FIRST_MS; !(await spec.ready(input, task)); pause = Math.min(LONGEST_MS, pause * 2)) {
      if (clock.now().getTime() + pause > until)
        throw new PolyadError('platform_not_ready', {
          message: 'The platform has been making the export of leads for five minutes and is not done.',
          retryAfterMs: 60_000,
        });
      await clock.sleep(pause, scope.signal);
    }
    return spec.download(input, task);
  }
}
