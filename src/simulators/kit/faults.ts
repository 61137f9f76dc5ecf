import { unit } from './random.ts';
import type { Fault, FaultKind } from './types.ts';

/** All kinds, in the order of the documentation. */
export const FAULT_KINDS: readonly FaultKind[] = [
  'latency',
  'rate_limited',
  'server_error',
  'html_gateway',
  'drop_before',
  'drop_after',
  'truncate',
  'revoked',
  'stale_reads',
];

/** What the switches do to one request. */
export interface FaultEffect {
  /** Milliseconds (machine time) to wait before anything else: the sum of all latencies that hit. */
  delayMs: number;
  /** For `stale_reads`: age of the answer's state in ms of virtual time. */
  staleMs?: number;
  /** The one fault that decides the answer, if any. */
  outcome?: Exclude<FaultKind, 'latency' | 'stale_reads'>;
  /** What the request log notes: the outcome, else the stale read, else the latency. */
  noted?: FaultKind;
}

/** The fault switches of one simulator. */
export interface Faults {
  list(): Fault[];
  /** Adds a switch; an `id` is made if none is given, and one with the same id is replaced. */
  add(fault: Omit<Fault, 'id'> & { id?: string }): Fault;
  /** False if there is none of that id. */
  remove(id: string): boolean;
  clear(): void;
  /** Decides what happens to a request, and counts the hits. */
  apply(method: string, path: string): FaultEffect;
}

/**
 * Fault switches. They are tried in the order in which they were added; latencies add up, and of the kinds that decide
 * the answer the first that hits wins. Whether a switch with a `rate` hits is drawn from a generator seeded by the
 * switch's id and the number of requests it has seen, so the same run fails at the same requests.
 */
export function createFaults(): Faults {
  const faults = new Map<string, Fault>();
  const seen = new Map<string, number>();
  let made = 0;

  const hits = (fault: Fault, method: string, path: string): boolean => {
    if (fault.path !== undefined && !path.includes(fault.path)) return false;
    if (fault.method !== undefined && fault.method.toUpperCase() !== method) return false;
    if (fault.kind === 'stale_reads' && method !== 'GET') return false;
    const draw = (seen.get(fault.id) ?? 0) + 1;
    seen.set(fault.id, draw);
    return fault.rate === undefined || unit('fault', fault.id, draw) < fault.rate;
  };
  const count = (fault: Fault) => {
    if (fault.times === undefined) return;
    if (fault.times <= 1) faults.delete(fault.id);
    else faults.set(fault.id, { ...fault, times: fault.times - 1 });
  };

  return {
    list: () => [...faults.values()],
    add(fault) {
      const id = fault.id ?? `fault_${++made}`;
      const row: Fault = { ...fault, id };
      faults.set(id, row);
      seen.delete(id);
      return row;
    },
    remove: (id) => faults.delete(id),
    clear() {
      faults.clear();
      seen.clear();
    },
    apply(method, path) {
      const effect: FaultEffect = { delayMs: 0 };
      for (const fault of [...faults.values()]) {
        const decides = fault.kind !== 'latency' && fault.kind !== 'stale_reads';
        if (decides && effect.outcome) continue;
        if (!hits(fault, method, path)) continue;
        count(fault);
        if (fault.kind === 'latency') effect.delayMs += fault.ms ?? 1000;
        else if (fault.kind === 'stale_reads') effect.staleMs = fault.ms ?? 60_000;
        else effect.outcome = fault.kind;
      }
      const noted = effect.outcome ?? (effect.staleMs === undefined ? undefined : 'stale_reads');
      if (noted) effect.noted = noted;
      else if (effect.delayMs > 0) effect.noted = 'latency';
      return effect;
    },
  };
}
