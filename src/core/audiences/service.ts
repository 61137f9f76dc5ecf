/** Fills audiences, makes them from lists, puts them to use and shares them. */
import type { Scope } from '../calls/scope.ts';
import type { AudienceSpec } from '../connector/audience-spec.ts';
import { AUDIENCE_IDENTIFIERS, type AudienceIdentifier } from '../connector/audience-spec.ts';
import type { OperationInput } from '../connector/object-spec.ts';
import type { Native } from '../connector/types.ts';
import { asPolyadError, PolyadError } from '../errors/index.ts';
import { createOnce } from '../idempotency/create-once.ts';
import type { WriteEntry } from '../idempotency/journal.ts';
import { permissionFor } from '../model/permissions.ts';
import { DryRun, type DryRunReport } from '../objects/dry-run.ts';
import type { Runtime } from '../runtime.ts';
import { fileBatches, membersOf, streamBatches, Tally } from './members.ts';

export const MEMBER_ACTIONS = ['add', 'remove', 'replace'] as const;
export type MemberAction = (typeof MEMBER_ACTIONS)[number];

/** What became of one batch. */
export interface BatchReport {
  /** From 1. */
  batch: number;
  members: number;
  /** Of a dry run: what would be sent. */
  dry_run?: DryRunReport;
  error?: { code: string; message: string; platform?: unknown };
}

export interface MembersSummary {
  received: number;
  sent: number;
  skipped: number;
  failed: number;
  complaints: Tally['complaints'];
}

/** Where an audience is, and whether its use is only shown. */
export interface UseOptions {
  orgId?: string | undefined;
  dryRun: boolean;
}

const summary = ({ received, sent, skipped, failed, complaints }: Tally): MembersSummary => ({
  ...{ received, sent, skipped, failed, complaints },
});

export class Audiences {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @throws PolyadError `method_unsupported`, `permission_missing`, `connection_paused` */
  spec(scope: Scope): AudienceSpec {
    const { connection } = scope;
    const platform = this.#runtime.registry.get(connection.integration_type);
    if (connection.is_paused) throw new PolyadError('connection_paused', { details: { connection_id: connection.id } });
    if (platform.audiences === undefined)
      throw new PolyadError('method_unsupported', { message: `${platform.manifest.name} has no audiences here.` });
    const needed = permissionFor('audience', 'list');
    if (needed !== undefined && connection.permissions.length > 0 && !connection.permissions.includes(needed))
      throw new PolyadError('permission_missing', { details: { needed, granted: connection.permissions } });
    return platform.audiences;
  }

  /**
   * Adds, takes out or replaces members, batch by batch; each batch is told as it ends, and one that the platform refuses
   * harms no other. Last comes the summary. A dry run sends nothing, and each batch tells what would be sent: digests as
   * the platform would get them.
   *
   * @throws PolyadError `platform_not_found`, `method_unsupported` (an audience that takes no members, or not so).
   */
  async *members(
    scope: Scope,
    id: string,
    action: MemberAction,
    body: AsyncIterable<Uint8Array>,
    orgId: string | undefined,
    dryRun = false,
  ): AsyncGenerator<BatchReport | { summary: MembersSummary }> {
    const spec = this.spec(scope);
    const { input: open, row } = await this.#runtime.objects.located(scope, 'audience', id, orgId);
    const method = spec.method(row);
    const kind = spec.fileKind(row);
    if (method === 'none' || (method === 'stream' && action === 'replace') || (method === 'file' && kind === undefined))
      throw new PolyadError('method_unsupported', {
        message:
          method === 'none'
            ? 'The platform fills this audience by itself: it takes no members.'
            : 'Members of this audience can be added and removed; they cannot be replaced as a whole.',
        details: { supported: method === 'stream' ? ['add', 'remove'] : [] },
      });
    const tally = new Tally();
    const members = membersOf(body, tally);
    let batch = 0;
    const send = async (count: number, work: (input: OperationInput) => Promise<void>): Promise<BatchReport> => {
      batch += 1;
      scope.signal.throwIfAborted();
      try {
        const report = dryRun ? await this.#shown(scope, open, work) : await work(open);
        tally.sent += count;
        return { batch, members: count, ...(report && { dry_run: report }) };
      } catch (thrown) {
        if (scope.signal.aborted) throw thrown;
        tally.failed += count;
        const { code, message, platform } = asPolyadError(thrown);
        return { batch, members: count, error: { code, message, ...(platform === undefined ? {} : { platform }) } };
      }
    };
    if (method === 'stream')
      for await (const rows of streamBatches(spec, members, tally))
        yield await send(rows.rows.length, (input) => spec.stream.send(input, id, action as 'add' | 'remove', rows));
    else
      for await (const { text, count } of fileBatches(spec, kind as string, members, tally)) {
        const how = action === 'replace' && batch > 0 ? 'add' : action;
        yield await send(count, async (input) =>
          spec.file.update(input, id, how, [await spec.file.upload(input, kind as string, text)]),
        );
      }
    yield { summary: summary(tally) };
  }

  /**
   * Makes an audience from a list: files are uploaded as the list is read, the audience is made from the first of them, the
   * others are added.
   *
   * @throws PolyadError `input_invalid` when nobody in the list can be matched; what the platform answers.
   */
  async fromFile(
    scope: Scope,
    wanted: {
      name: string;
      identifier: AudienceIdentifier;
      retentionDays?: number | undefined;
      orgId?: string | undefined;
    },
    body: AsyncIterable<Uint8Array>,
    how: { entry: WriteEntry } | { dryRun: DryRun },
  ): Promise<{ audience: Native; summary: MembersSummary }> {
    const spec = this.spec(scope);
    const kind = spec.identifiers[wanted.identifier]?.file;
    if (kind === undefined)
      throw new PolyadError('input_value_unsupported', {
        details: {
          field: 'identifier',
          allowed: AUDIENCE_IDENTIFIERS.filter((name) => spec.identifiers[name]?.file !== undefined),
        },
      });
    const input = await this.#input('dryRun' in how ? { ...scope, recorder: how.dryRun } : scope, wanted.orgId);
    const tally = new Tally();
    const files: string[] = [];
    let id: string | undefined;
    const flush = async (): Promise<void> => {
      if (files.length === 0) return;
      const some = files.splice(0);
      const { name, retentionDays } = wanted;
      const create = (through: OperationInput): Promise<string> =>
        spec.file.create(through, { name, kind, retentionDays }, some);
      if (id === undefined)
        id = 'entry' in how ? await this.#once(scope, input, how.entry, name, create) : await create(input);
      else await spec.file.update(input, id, 'add', some);
    };
    for await (const { text, count } of fileBatches(spec, kind, membersOf(body, tally), tally)) {
      files.push(await spec.file.upload(input, kind, text));
      tally.sent += count;
      if (files.length >= spec.file.maxFiles) await flush();
    }
    await flush();
    if (id === undefined)
      throw new PolyadError('input_invalid', {
        message: 'Nobody in the list can be matched, so no audience was made.',
        details: { issues: tally.complaints.map(({ line, reason }) => ({ path: `line ${line}`, reason })) },
      });
    if ('dryRun' in how) return { audience: {}, summary: summary(tally) };
    const audience = await this.#runtime.objects.get(scope, 'audience', id, { org_id: input.organization.id });
    return { audience, summary: summary(tally) };
  }

  /** `fromFile` with nothing sent: the native requests, files with their size alone. */
  async rehearseFromFile(
    scope: Scope,
    wanted: Parameters<Audiences['fromFile']>[1],
    body: AsyncIterable<Uint8Array>,
  ): Promise<{ members?: MembersSummary; dry_run: DryRunReport }> {
    const dryRun = new DryRun();
    let members: MembersSummary | undefined;
    const report = await dryRun.run(async () => {
      members = (await this.fromFile(scope, wanted, body, { dryRun })).summary;
    });
    return { ...(members && { members }), dry_run: report };
  }

  /** The creation itself, which is looked for when its answer is lost; answers the id. */
  async #once(
    scope: Scope,
    input: OperationInput,
    entry: WriteEntry,
    name: string,
    create: (input: OperationInput) => Promise<string>,
  ): Promise<string> {
    const { registry, objects, clock } = this.#runtime;
    const { integration_type, environment } = scope.connection;
    const spec = registry.get(integration_type).objects.audience;
    entry.about([integration_type, environment, input.organization.id, spec?.native].join('/'), name);
    const through = { ...input, ctx: this.#runtime.context({ ...scope, gate: entry }) };
    // What the platform answers to a creation is the id alone, and no row of a list.
    let made: { row: Native; id: string } | undefined;
    const decode = (row: Native): Native =>
      row === made?.row ? { id: made.id } : row === asked ? { name } : objects.adopt(scope, 'audience', input, row);
    const asked: Native = { name };
    const row = await createOnce({
      ...{
        entry,
        clock,
        aid: spec?.idempotency,
        input: through,
        unified: { name },
        native: asked,
        object: 'audience',
        decode,
      },
      send: async () => {
        made = { row: {}, id: await create(through) };
        return made.row;
      },
    });
    return String(decode(row)['id']);
  }

  /** Puts an audience to use. Answers what would be sent where nothing is to be sent. */
  async apply(
    scope: Scope,
    id: string,
    use: Parameters<AudienceSpec['apply']>[2],
    { orgId, dryRun }: UseOptions,
  ): Promise<DryRunReport | undefined> {
    const spec = this.spec(scope);
    const { input } = await this.#runtime.objects.located(scope, 'audience', id, orgId);
    const send = (through: OperationInput): Promise<void> => spec.apply(through, id, use);
    return dryRun ? this.#shown(scope, input, send) : void (await send(input));
  }

  /** Shares an audience. Answers what would be sent where nothing is to be sent. */
  async share(
    scope: Scope,
    id: string,
    share: Parameters<AudienceSpec['share']>[2],
    { orgId, dryRun }: UseOptions,
  ): Promise<DryRunReport | undefined> {
    const spec = this.spec(scope);
    const { input } = await this.#runtime.objects.located(scope, 'audience', id, orgId);
    const send = (through: OperationInput): Promise<void> => spec.share(through, id, share);
    return dryRun ? this.#shown(scope, input, send) : void (await send(input));
  }

  /** What some work would send. */
  #shown(scope: Scope, input: OperationInput, work: (input: OperationInput) => Promise<void>): Promise<DryRunReport> {
    const recorder = new DryRun();
    const through = { ...input, ctx: this.#runtime.context({ ...scope, recorder }) };
    return recorder.run(() => work(through));
  }

  async #input(scope: Scope, orgId: string | undefined): Promise<OperationInput> {
    const ctx = this.#runtime.context(scope);
    if (orgId !== undefined) return { ctx, organization: await ctx.organization(orgId), raw: {} };
    const [only, ...more] = await ctx.organizations();
    if (only === undefined || more.length > 0)
      throw new PolyadError('organization_required', { details: { count: only === undefined ? 0 : more.length + 1 } });
    return { ctx, organization: only, raw: {} };
  }
}
