/**
 * The steps of a renewal, between any two of which a process may die. Tests kill one at each; the table of what is then
 * lost is in docs/guides/tokens.md.
 */
export const REFRESH_STEPS = [
  /** The lease is held, nothing was read. */
  'lease_taken',
  /** The stored tokens were read and need renewing. */
  'tokens_read',
  /** It is on record that this refresh token is being spent. */
  'spending_noted',
  /** The request to the token endpoint is under way. */
  'call_under_way',
  /** The platform's answer is in memory, and nowhere else. */
  'answer_received',
  /** New tokens, connection, schedule and the end of the lease are committed; nobody was told yet. */
  'tokens_stored',
  /** The lease is free again. */
  'lease_released',
] as const;

export type RefreshStep = (typeof REFRESH_STEPS)[number];

/** Called at each step, for fault injection; the renewal waits for it. */
export type StepHook = (step: RefreshStep, connectionId: string) => void | Promise<void>;
