/** Paging recipes: how a platform's list is walked. The walking itself is `core/objects/walk.ts`. */

export type PagingRecipe =
  /** Numbered pages. `total` is the dotted path of the row count in the answer. */
  | { kind: 'page'; page: string; size: string; maxSize: number; firstPage: 0 | 1; total?: string }
  /** Opaque cursor in a query member; `next` is its dotted path in the answer (empty or absent = last page). */
  | { kind: 'cursor'; cursor: string; next: string; size?: string; maxSize?: number; hasMore?: string }
  /** Row offset and limit. */
  | { kind: 'offset'; offset: string; size: string; maxSize: number; total?: string }
  /** The answer names the whole next URL. */
  | { kind: 'link'; next: string; size?: string; maxSize?: number }
  /** One answer holds everything. */
  | { kind: 'none' };
