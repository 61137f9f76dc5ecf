/** Lists that are longer than a page, and that others may write to while they are read. */

/** Of a page, this share is read again with the next one. */
const OVERLAP = 1 / 20;

/**
 * Every row from `offset` on, each once. Rows that come in push others on, which are then read twice; rows that go pull
 * others into pages that have been read, where nobody would find them. So a page begins with the last rows of the one
 * before: where its first row is not one of them, reading goes back until it is.
 *
 * @param read rows of one page
 * @param idOf what tells a row from others; undefined = nothing does, so no page repeats any
 * @param progress told after each page how many rows there are
 */
export async function everyRow<T>(
  read: (offset: number, limit: number) => Promise<readonly T[]>,
  { size, offset }: { size: number; offset: number },
  idOf: ((row: T) => unknown) | undefined,
  progress: (rows: number) => void = () => undefined,
): Promise<T[]> {
  const overlap = idOf === undefined ? 0 : Math.min(size - 1, Math.max(1, Math.floor(size * OVERLAP)));
  const rows = new Map<unknown, T>();
  const keyOf = idOf ?? (() => rows.size);
  for (let at = offset; ; ) {
    const page = await read(at, size);
    const joins = at === offset || (page.length > 0 && rows.has(keyOf(page[0] as T)));
    for (const row of page) {
      const key = keyOf(row);
      if (!rows.has(key)) rows.set(key, row);
    }
    progress(rows.size);
    if (!joins && overlap > 0) at = Math.max(offset, at - size);
    else if (page.length < size) return [...rows.values()];
    else at += size - overlap;
  }
}
