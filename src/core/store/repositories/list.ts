/** What every list takes. The wire contract's `limit`, `offset`, `sort` and `order`, already validated. */
export interface ListOptions<Sort extends string = 'created_at' | 'updated_at'> {
  /** Most rows to answer. Default 100. */
  limit?: number | undefined;
  /** Rows to leave out first. Default 0. */
  offset?: number | undefined;
  /** Default `created_at`. Rows that tie are ordered by id, so pages never overlap. */
  sort?: Sort | undefined;
  /** Default `desc`: newest first. */
  order?: 'asc' | 'desc' | undefined;
}

/** The page that `options` asks for. */
export function page(options: ListOptions<string>): { limit: number; offset: number; order: 'asc' | 'desc' } {
  return { limit: options.limit ?? 100, offset: options.offset ?? 0, order: options.order ?? 'desc' };
}
