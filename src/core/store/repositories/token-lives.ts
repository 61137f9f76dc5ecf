import { sql } from 'kysely';
import type { Db, TokenLifeRow, TokenOutageRow } from '../schema.ts';

/**
 * Takes the lease on a connection's tokens for `ttlMs` of the database's clock, if nobody holds it. Undefined = somebody
 * does.
 */
export async function takeRefreshLease(
  db: Db,
  connection: { id: string; integration_type: string; environment: string },
  holder: string,
  ttlMs: number,
): Promise<TokenLifeRow | undefined> {
  const until = sql<Date>`clock_timestamp() + make_interval(secs => ${ttlMs / 1000}::float8)`;
  return db
    .insertInto('token_lives')
    .values({
      connection_id: connection.id,
      integration_type: connection.integration_type,
      environment: connection.environment,
      holder,
      lease_until: until,
    })
    .onConflict((oc) =>
      oc
        .column('connection_id')
        .doUpdateSet({ holder, lease_until: until })
        .where(sql<boolean>`token_lives.lease_until is null or token_lives.lease_until < clock_timestamp()`),
    )
    .returningAll()
    .executeTakeFirst();
}

/** Makes a lease last at least `ttlMs` from now. False = it is no longer this holder's. */
export async function extendRefreshLease(
  db: Db,
  connectionId: string,
  holder: string,
  ttlMs: number,
): Promise<boolean> {
  const row = await db
    .updateTable('token_lives')
    .set({
      lease_until: sql<Date>`greatest(lease_until, clock_timestamp() + make_interval(secs => ${ttlMs / 1000}::float8))`,
    })
    .where('connection_id', '=', connectionId)
    .where('holder', '=', holder)
    .returning('connection_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Gives a lease back, if it is still this holder's. */
export async function releaseRefreshLease(db: Db, connectionId: string, holder: string): Promise<void> {
  await db
    .updateTable('token_lives')
    .set({ holder: null, lease_until: null })
    .where('connection_id', '=', connectionId)
    .where('holder', '=', holder)
    .execute();
}

/**
 * Puts on record that the refresh token of `version` is being spent now, makes the lease last for `leaseMs`, and shows the
 * connection as refreshing. False = the lease is no longer this holder's, and nothing may be sent.
 */
export async function noteSpending(
  db: Db,
  input: { connectionId: string; holder: string; version: number; now: Date; lookAgainAt: Date },
  leaseMs: number,
): Promise<boolean> {
  const row = await db
    .with('spent', (cte) =>
      cte
        .updateTable('token_lives')
        .set({
          spending_version: input.version,
          spending_since: input.now,
          lease_until: sql<Date>`clock_timestamp() + make_interval(secs => ${leaseMs / 1000}::float8)`,
          next_at: sql<Date>`least(coalesce(next_at, ${input.lookAgainAt}::timestamptz), ${input.lookAgainAt}::timestamptz)`,
        })
        .where('connection_id', '=', input.connectionId)
        .where('holder', '=', input.holder)
        .where(sql<boolean>`lease_until > clock_timestamp()`)
        .returning('connection_id'),
    )
    .with('shown', (cte) =>
      cte
        .updateTable('connections')
        .set({ life: 'refreshing', life_since: input.now })
        .where('id', '=', (eb) => eb.selectFrom('spent').select('connection_id'))
        .where('life', 'in', ['healthy', 'expiring', 'degraded', 'refreshing'])
        .returning('id'),
    )
    .selectFrom('spent')
    .select('connection_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** What may be changed of a record. */
export type TokenLifePatch = Partial<
  Pick<
    TokenLifeRow,
    | 'next_at'
    | 'failures'
    | 'spending_version'
    | 'spending_since'
    | 'refused_version'
    | 'end_moves'
    | 'warned_end'
    | 'warned_days'
    | 'probed_at'
  >
>;

/** Changes a record; with `holder` that holder's lease ends by it too. */
export async function updateTokenLife(
  db: Db,
  connectionId: string,
  patch: TokenLifePatch,
  holder?: string,
): Promise<void> {
  const lease =
    holder === undefined
      ? {}
      : {
          holder: sql<string | null>`case when holder = ${holder} then null else holder end`,
          lease_until: sql<Date | null>`case when holder = ${holder} then null else lease_until end`,
        };
  await db
    .updateTable('token_lives')
    .set({ ...patch, ...lease })
    .where('connection_id', '=', connectionId)
    .execute();
}

/** The record of a connection; undefined = there is none. */
export function getTokenLife(db: Db, connectionId: string): Promise<TokenLifeRow | undefined> {
  return db.selectFrom('token_lives').selectAll().where('connection_id', '=', connectionId).executeTakeFirst();
}

/** Records of several connections. */
export function tokenLivesById(db: Db, ids: readonly string[]): Promise<TokenLifeRow[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return db
    .selectFrom('token_lives')
    .selectAll()
    .where('connection_id', 'in', [...ids])
    .execute();
}

/**
 * Takes up to `limit` connections that are to be looked at, earliest first, and puts them off to `putOffTo`, so that of
 * several nodes one has each, and another looks again if that one dies. Those that someone is renewing at the moment, and
 * those whose platform's token endpoint is out, are left.
 */
export async function claimTokenLives(db: Db, input: { now: Date; putOffTo: Date; limit: number }): Promise<string[]> {
  const rows = await db
    .with('due', (cte) =>
      cte
        .selectFrom('token_lives')
        .select('connection_id')
        .where('next_at', '<=', input.now)
        .where(sql<boolean>`(lease_until is null or lease_until < clock_timestamp())`)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('token_outages')
                .select('token_outages.since')
                .whereRef('token_outages.integration_type', '=', 'token_lives.integration_type')
                .whereRef('token_outages.environment', '=', 'token_lives.environment')
                .where('token_outages.next_try_at', '>', input.now),
            ),
          ),
        )
        .orderBy('next_at')
        .limit(input.limit)
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('token_lives')
    .set({ next_at: input.putOffTo })
    .where('connection_id', 'in', (eb) => eb.selectFrom('due').select('connection_id'))
    .returning('connection_id')
    .execute();
  return rows.map((row) => row.connection_id);
}

/** Removes a record whose connection is gone. */
export async function deleteTokenLife(db: Db, connectionId: string): Promise<void> {
  await db.deleteFrom('token_lives').where('connection_id', '=', connectionId).execute();
}

/** The warning that was sent last. Answers whether this call noted it: of several nodes one sends it. */
export async function noteWarning(db: Db, connectionId: string, end: Date, days: number): Promise<boolean> {
  const row = await db
    .updateTable('token_lives')
    .set({ warned_end: end, warned_days: days })
    .where('connection_id', '=', connectionId)
    .where(sql<boolean>`(warned_end is distinct from ${end}::timestamptz or warned_days > ${days}::int)`)
    .returning('connection_id')
    .executeTakeFirst();
  return row !== undefined;
}

// ------------------------------------------------------------------------------------------------ outages

/** All token endpoints that do not answer. */
export function listTokenOutages(db: Db): Promise<TokenOutageRow[]> {
  return db.selectFrom('token_outages').selectAll().execute();
}

/** Records an outage, or that it goes on. */
export async function putTokenOutage(db: Db, outage: TokenOutageRow): Promise<void> {
  await db
    .insertInto('token_outages')
    .values(outage)
    .onConflict((oc) =>
      oc
        .columns(['integration_type', 'environment'])
        .doUpdateSet({ next_try_at: outage.next_try_at, failures: outage.failures }),
    )
    .execute();
}

/** Takes the one try that an outage allows at `now`; false = another had it, or the outage is over. */
export async function claimOutageTry(
  db: Db,
  outage: Pick<TokenOutageRow, 'integration_type' | 'environment'>,
  now: Date,
  next: Date,
): Promise<boolean> {
  const row = await db
    .updateTable('token_outages')
    .set({ next_try_at: next })
    .where('integration_type', '=', outage.integration_type)
    .where('environment', '=', outage.environment)
    .where('next_try_at', '<=', now)
    .returning('since')
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Ends an outage: connections whose renewal failed meanwhile are looked at again within `withinMs`, each at its own time.
 * Answers how long it lasted in ms; undefined = it was over already.
 */
export async function endTokenOutage(
  db: Db,
  outage: Pick<TokenOutageRow, 'integration_type' | 'environment'>,
  now: Date,
  withinMs: number,
): Promise<number | undefined> {
  const row = await db
    .deleteFrom('token_outages')
    .where('integration_type', '=', outage.integration_type)
    .where('environment', '=', outage.environment)
    .returning('since')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const latest = new Date(now.getTime() + withinMs);
  await db
    .updateTable('token_lives')
    .set({
      next_at: sql<Date>`${now}::timestamptz + random() * make_interval(secs => ${withinMs / 1000}::float8)`,
    })
    .where('integration_type', '=', outage.integration_type)
    .where('environment', '=', outage.environment)
    .where('failures', '>', 0)
    .where('next_at', '>', latest)
    .execute();
  return now.getTime() - row.since.getTime();
}
