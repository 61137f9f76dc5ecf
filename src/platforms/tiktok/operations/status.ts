/** Status changes, each by the endpoint of the object's generation. */
import type { BatchOutcome, ObjectSpec, OperationInput } from '../../../core/connector/object-spec.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { read, rowsOf } from '../request.ts';
import { type Generation, generationOf, hasSmartAds } from './automation.ts';
import { AD, type Level, setStatus, statusBatch } from './shared.ts';
import { smartStatus } from './smart-plus.ts';

/** Sets the status of one object. */
export async function setStatusOf(
  input: OperationInput,
  level: Level,
  id: string,
  generation: Generation,
  status: 'ENABLE' | 'DISABLE' | 'DELETE',
): Promise<void> {
  // Legacy Smart+ campaigns have no status endpoint of their own (unverified: campaign/status/update takes them).
  if (generation !== 'smart_plus') return setStatus(input, level, id, status);
  const [outcome] = await smartStatus(input, level, [id], status);
  if (outcome?.error !== undefined)
    throw new PolyadError('platform_rejected', {
      message: `TikTok did not change the status: ${outcome.error.message}`,
      details: { object: level.endpoint, id },
    });
}

/** Which of some objects are of Smart+. */
async function smartAmong(input: OperationInput, level: Level, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (input.ctx.environment === 'sandbox') return new Set();
  if (level === AD && !(await hasSmartAds(input))) return new Set();
  const data = await read(input, `${level.endpoint}/get`, {
    filtering: { [level.ids]: ids, primary_status: 'STATUS_ALL' },
    page: 1,
    page_size: 100,
  });
  const rows = new Map(rowsOf(data, 'list').map((row) => [String(row[level.id]), row]));
  return new Set(
    ids.filter((id) => {
      const row = rows.get(id);
      // ad/get knows ads of Smart+ by their creatives alone, so an ad that it does not have is one of them.
      return level === AD ? row === undefined : row !== undefined && generationOf(row) === 'smart_plus';
    }),
  );
}

/** Status changes of several objects, one request per generation. */
export function mixedStatusBatch(level: Level): NonNullable<ObjectSpec['statusBatch']> {
  const manual = statusBatch(level);
  return {
    maxIds: manual.maxIds,
    async run(input, ids, native) {
      const smart = await smartAmong(input, level, ids);
      const plain = ids.filter((id) => !smart.has(id));
      const outcomes: BatchOutcome[] = [
        ...(plain.length === 0 ? [] : await manual.run(input, plain, native)),
        ...(smart.size === 0 ? [] : await smartStatus(input, level, [...smart], native['operation_status'])),
      ];
      const byId = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
      return ids.map((id) => byId.get(id) ?? { id });
    },
  };
}
