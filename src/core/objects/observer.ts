/** Who is told of objects that pass by: what polyad keeps an eye on of its own accord, it learns of here. */
import type { Scope } from '../calls/scope.ts';
import type { ObjectName, Unified } from '../connector/types.ts';

/** Told of objects that were read or written, whole, before an answer leaves. */
export interface ObjectObserver {
  /** Kinds of objects that it wants to be told of. */
  objects: ReadonlySet<ObjectName>;
  seen(scope: Scope, object: ObjectName, rows: readonly Unified[]): Promise<void>;
  removed(scope: Scope, object: ObjectName, id: string): Promise<void>;
}

/** Tells an observer, if it wants to know. */
export async function tellSeen(
  observer: ObjectObserver | undefined,
  scope: Scope,
  object: ObjectName,
  rows: readonly Unified[],
): Promise<void> {
  if (observer?.objects.has(object) === true) await observer.seen(scope, object, rows);
}
