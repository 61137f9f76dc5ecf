/**
 * The steps of a write, published on a diagnostics channel as they are reached. Between any two of them a process may
 * die without a write being lost or done twice; the tests kill one at each.
 */
import { channel } from 'node:diagnostics_channel';

export const WRITE_STEPS = [
  /** The caller's request is read; nothing is recorded. */
  'asked',
  /** Its record is in the database; nothing is sent. */
  'recorded',
  /** The record says that a request may have left; it has not. */
  'marked',
  /** The platform has answered; the record does not say so. */
  'answered',
  /** The new object has been read where the answer held less; the record does not say so. */
  'known',
  /** The answer is in the record; the caller does not have it. */
  'kept',
] as const;

export type WriteStep = (typeof WRITE_STEPS)[number];

/** Name of the channel; messages are `WriteMessage`. */
export const WRITE_CHANNEL = 'polyad:write';

export interface WriteMessage {
  step: WriteStep;
  route: string;
  key: string | null;
}

const steps = channel(WRITE_CHANNEL);

export function reached(step: WriteStep, route: string, key: string | null): void {
  if (steps.hasSubscribers) steps.publish({ step, route, key } satisfies WriteMessage);
}
