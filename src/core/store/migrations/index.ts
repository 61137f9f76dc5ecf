import { migration as initial } from './0001-initial.ts';
import { migration as vault } from './0002-vault.ts';
import { migration as tokenLife } from './0003-token-life.ts';
import { migration as access } from './0004-access.ts';
import { migration as writes } from './0005-writes.ts';
import { migration as tokenOrigins } from './0006-token-origins.ts';
import { migration as conversions } from './0007-conversions.ts';
import { migration as reportJobs } from './0008-report-jobs.ts';
import { migration as creators } from './0009-creators.ts';
import { migration as accounts } from './0010-accounts.ts';
import { migration as hooks } from './0011-hooks.ts';
import { migration as launch } from './0012-launch.ts';
import type { Migration } from './migration.ts';

/** All migrations, in the order they run. */
export const MIGRATIONS: readonly Migration[] = [
  initial,
  vault,
  tokenLife,
  access,
  writes,
  tokenOrigins,
  conversions,
  reportJobs,
  creators,
  accounts,
  hooks,
  launch,
];
