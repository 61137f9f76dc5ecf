/** Types of columns. */
import type { ColumnType } from 'kysely';

/** A timestamptz(3) column. */
export type Timestamp = ColumnType<Date, Date, Date>;
export type NullableTimestamp = ColumnType<Date | null, Date | null | undefined, Date | null>;
/**
 * A jsonb column. It is written as JSON text (see {@link json}), because the two engines' clients guess differently what
 * to do with a bare array or string.
 */
export type Json<T> = ColumnType<T, string, string>;
