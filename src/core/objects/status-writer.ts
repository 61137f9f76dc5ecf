/** Status changes of several objects, in the platform's own batches where it has them. */
import type { Scope, WriteEnd } from '../calls/scope.ts';
import type { ObjectSpec, OperationInput } from '../connector/object-spec.ts';
import type { Native, ObjectName, OrganizationFacts, Unified } from '../connector/types.ts';
import { asPolyadError, PolyadError } from '../errors/index.ts';
import type { ObjectAccess } from './access.ts';
import { DryRun } from './dry-run.ts';
import type { WriteOptions } from './writer.ts';

/** What became of one change: an error, or the object as far as it is known. */
export interface StatusOutcome {
  error?: PolyadError;
  /** Id and status; for a dry run what would be sent. */
  unified?: Unified;
}

type Update = (id: string, body: Unified) => Promise<Unified>;
type Ends = Map<string, (end: WriteEnd) => Promise<void>>;

/**
 * Sets the status of several objects. One outcome for each; a batch that is refused as a whole is taken apart, so that
 * one wrong id does not stop the others. `update` changes a single object, and tells whoever watches by itself.
 *
 * @throws PolyadError for all of them: `connection_paused`, `method_unsupported`, `permission_missing`
 */
export async function setStatuses(
  access: ObjectAccess,
  scope: Scope,
  object: ObjectName,
  ids: readonly string[],
  status: string,
  options: WriteOptions,
  update: Update,
): Promise<Map<string, StatusOutcome>> {
  const outcomes = new Map<string, StatusOutcome>();
  const failed = (id: string, thrown: unknown): void => void outcomes.set(id, { error: asPolyadError(thrown) });
  const opened = access.open(scope, object, 'update');
  const { ctx, spec } = opened;
  const single = async (id: string): Promise<void> => {
    try {
      const changed = await update(id, { status });
      outcomes.set(id, { unified: options.dryRun === true ? changed : { id, status } });
    } catch (error) {
      failed(id, error);
    }
  };
  if (spec.statusBatch === undefined) {
    for (const id of ids) await single(id);
    return outcomes;
  }
  const ends: Ends = new Map();
  const byAccount = new Map<string, { organization: OrganizationFacts; ids: string[] }>();
  for (const id of ids)
    try {
      const { organization } = await access.locator.find(ctx, scope.connection.id, object, spec, id, options.org_id);
      const facts = { object, verb: 'update', id, body: { status }, dryRun: options.dryRun === true } as const;
      const ended = await scope.watch?.begin(facts);
      if (ended !== undefined) ends.set(id, ended);
      const group = byAccount.get(organization.id) ?? { organization, ids: [] };
      group.ids.push(id);
      byAccount.set(organization.id, group);
    } catch (error) {
      failed(id, error);
    }
  const { maxIds } = spec.statusBatch;
  for (const { organization, ids: own } of byAccount.values()) {
    let native: Native;
    try {
      native = access.encode(opened, { status }, organization, 'update');
    } catch (error) {
      for (const id of own) failed(id, error);
      continue;
    }
    for (let start = 0; start < own.length; start += maxIds) {
      const chunk = own.slice(start, start + maxIds);
      try {
        for (const [id, outcome] of await batch(access, scope, object, organization, chunk, native, options))
          outcomes.set(id, outcome.error === undefined ? { unified: { id, status, ...outcome.unified } } : outcome);
      } catch (thrown) {
        const error = asPolyadError(thrown);
        if (error.actor === 'caller' && chunk.length > 1) {
          for (const id of chunk) await single(id);
          continue;
        }
        for (const id of chunk) failed(id, error);
      }
      for (const id of chunk) await ends.get(id)?.(outcomes.get(id) as StatusOutcome);
    }
  }
  return outcomes;
}

/** One request's worth of changes. */
async function batch(
  access: ObjectAccess,
  scope: Scope,
  object: ObjectName,
  organization: OrganizationFacts,
  ids: readonly string[],
  native: Native,
  options: WriteOptions,
): Promise<[string, StatusOutcome][]> {
  const dry = options.dryRun === true ? new DryRun() : undefined;
  const opened = access.open(dry === undefined ? scope : { ...scope, recorder: dry }, object, 'update');
  const input: OperationInput = { ctx: opened.ctx, organization, raw: options.raw ?? {} };
  const { run } = opened.spec.statusBatch as NonNullable<ObjectSpec['statusBatch']>;
  if (dry !== undefined) {
    const report = await dry.run(() => run(input, ids, native));
    return ids.map((id) => [id, { unified: { raw: native, dry_run: report } }]);
  }
  return (await run(input, ids, native)).map(({ id, error }) => [
    id,
    error === undefined
      ? {}
      : { error: new PolyadError(error.code, { message: error.message, details: { object, id } }) },
  ]);
}
