/** Watches the writes of one request of ours: keys that may not spend are refused, and every write leaves a row. */
import { hasScope } from '../auth/key-scopes.ts';
import { mayRaise, raisesOfUpdate, spendingOfCreate } from '../auth/key-spending.ts';
import type { WriteFacts, WriteWatch } from '../calls/scope.ts';
import type { Unified } from '../connector/types.ts';
import { asPolyadError, PolyadError } from '../errors/index.ts';
import type { AuditEntry, AuditLog } from './log.ts';

export interface WatchOptions {
  audit: AuditLog;
  /** Scopes of the key that asks. */
  scopes: readonly string[];
  /** What all rows of the request share. */
  row: Pick<AuditEntry, 'workspaceId' | 'actor' | 'connectionId' | 'requestId' | 'ipAddress'>;
}

/** Objects whose state before a change is kept. */
const BEFORE: ReadonlySet<string> = new Set(['campaign', 'insertionorder', 'group', 'ad', 'creative']);

const ACTIONS = { create: 'create', update: 'update', remove: 'remove' } as const;

export function watchWrites({ audit, scopes, row }: WatchOptions): WriteWatch {
  const refuseSpending = (write: WriteFacts, members: readonly string[]): never => {
    throw new PolyadError('key_scope', {
      message: `The API key lacks the scope \`spend\`, and this raises what is spent (${members.map((name) => `\`${name}\``).join(', ')}).`,
      details: { needed: 'spend', scopes, object: write.object, members },
    });
  };
  const checkSpending = async (write: WriteFacts): Promise<void> => {
    if (hasScope(scopes, 'spend') || write.verb === 'remove') return;
    const { object, body, current } = write;
    if (write.verb === 'create') {
      const members = spendingOfCreate(object, body);
      if (members.length > 0) refuseSpending(write, members);
    } else if (mayRaise(object, body)) {
      // Where the present state is not at hand, a change that may raise is taken for one that does.
      const members = raisesOfUpdate(object, body, current === undefined ? {} : await current());
      if (members.length > 0) refuseSpending(write, members);
    }
  };
  return {
    async begin(write) {
      const { object, verb, id } = write;
      const append = (outcome: string | undefined, objectId: string | undefined, details: Record<string, unknown>) =>
        audit.append({
          ...row,
          action: `${ACTIONS[verb]}Ads${object.replace(/(?:^|_)(.)/g, (_all, letter: string) => letter.toUpperCase())}`,
          objectType: object,
          objectId,
          outcome,
          details,
        });
      try {
        await checkSpending(write);
      } catch (error) {
        const { code } = asPolyadError(error);
        if (code === 'key_scope') await append(code, id, { asked: shown(write.body) });
        throw error;
      }
      if (write.dryRun === true) return async () => undefined;
      const before =
        verb === 'create' || !BEFORE.has(object) || write.current === undefined
          ? undefined
          : await write.current().then(shown, (error: unknown) => ({ unreadable: asPolyadError(error).code }));
      return async ({ unified, error }) => {
        const after = unified === undefined ? undefined : shown(unified);
        const written = typeof after?.['id'] === 'string' ? after['id'] : id;
        if (error !== undefined)
          await append(asPolyadError(error).code, id, { ...(before && { before }), asked: shown(write.body) });
        else if (verb === 'update' && before !== undefined && after !== undefined)
          await append(undefined, written, { ...difference(before, after), asked: Object.keys(write.body) });
        else await append(undefined, written, { ...(before && { before }), ...(after && { after }) });
      };
    },
  };
}

/** Members that give whoever knows them a right: a creator's code can be redeemed until somebody has done so. */
const CODES = ['code', 'original_code'] as const;

/** An object as the log keeps it: without the platform's own form, which repeats it, and without codes. */
function shown({ raw, ...rest }: Unified): Unified {
  const out: Unified = raw === undefined ? rest : { ...rest, raw: '…' };
  for (const name of CODES) if (out[name] !== undefined) out[name] = '…';
  return out;
}

/** The members that differ, as they were and as they are. */
function difference(before: Unified, after: Unified): { before: Unified; after: Unified } {
  const out = { before: {} as Unified, after: {} as Unified };
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (name === 'raw' || JSON.stringify(before[name]) === JSON.stringify(after[name])) continue;
    if (before[name] !== undefined) out.before[name] = before[name];
    if (after[name] !== undefined) out.after[name] = after[name];
  }
  return out;
}
