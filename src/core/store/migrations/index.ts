import { migration as initial } from './0001-initial.ts';
import type { Migration } from './migration.ts';

/** All migrations, in the order they run. */
export const MIGRATIONS: readonly Migration[] = [initial];
