import type { Invalidation } from './port.ts';

/** The channel of the triggers in `migrations/`. */
export const INVALIDATION_CHANNEL = 'polyad_invalidation';

/** The message on that channel, as {@link readInvalidation} and the triggers write it. */
export function invalidationMessage(schema: string, kind: string, id: string): string {
  return JSON.stringify([schema, kind, id]);
}

/** The change a message tells of; undefined when it is another schema's, or not ours at all. */
export function readInvalidation(message: string, schema: string): Invalidation | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(message);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [from, kind, id] = parts;
  return from === schema && typeof kind === 'string' && typeof id === 'string'
    ? { event: 'changed', kind, id }
    : undefined;
}

/** Who listens to invalidations in this process. */
export class Listeners {
  readonly #listeners = new Set<(invalidation: Invalidation) => void>();

  add(listener: (invalidation: Invalidation) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(invalidation: Invalidation): void {
    for (const listener of this.#listeners) listener(invalidation);
  }
}
