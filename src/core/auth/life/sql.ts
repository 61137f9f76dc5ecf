/** The state machine as SQL, so that a state is never written over one that nobody read. */
import { type RawBuilder, sql } from 'kysely';
import type { LifeState } from '../../store/schema.ts';
import { LIFE_STATES, type LifeEvent, transition } from './state.ts';

/** The columns `life` and `life_since` of a connection after `events`, whatever state it is in when this is written. */
export function lifeAfter(
  now: Date,
  ...events: readonly LifeEvent[]
): { life: RawBuilder<LifeState>; life_since: RawBuilder<Date | null> } {
  const branches = LIFE_STATES.map((state) => {
    const after = events.reduce(transition, state);
    return sql`when ${sql.lit(state)} then ${sql.lit(after)}`;
  });
  const life = sql<LifeState>`(case life ${sql.join(branches, sql` `)} else life end)`;
  return { life, life_since: sql<Date | null>`case when life = ${life} then life_since else ${now}::timestamptz end` };
}
