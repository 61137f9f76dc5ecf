import { describe, expect, it } from 'vitest';
import { DAY_MS, LIFE_STATES, type LifeEvent, type LifeFacts, shownLife, transition } from './state.ts';

const now = new Date('2026-11-22T12:00:00Z');
const inDays = (days: number): Date => new Date(now.getTime() + days * DAY_MS);

const row = (facts: Partial<LifeFacts> = {}): LifeFacts => ({
  life: 'healthy',
  life_since: now,
  health_state: 'healthy',
  is_paused: false,
  token_expires_at: inDays(1),
  reauthorize_by: null,
  created_at: now,
  ...facts,
});

describe('the state machine', () => {
  it('is left by a revoked connection through its customer alone, or an answer that came after all', () => {
    const events: LifeEvent[] = [
      'renewal_needed',
      'renewal_begun',
      'renewal_failed',
      'renewal_refused',
      'end_near',
      'end_moved',
      'paused',
      'resumed',
      'grant_gone',
    ];
    for (const event of events) expect(transition('revoked', event), event).toBe('revoked');
    expect(transition('revoked', 'authorized')).toBe('healthy');
    expect(transition('revoked', 'renewed')).toBe('healthy');
  });

  it('ends every state when the grant is gone, and never for trouble that passes', () => {
    for (const state of LIFE_STATES) {
      expect(transition(state, 'grant_gone'), state).toBe('revoked');
      if (state !== 'revoked') expect(transition(state, 'renewal_failed'), state).not.toBe('revoked');
    }
  });

  it('keeps a date in sight while short-lived tokens go on being renewed under it', () => {
    for (const event of ['renewal_needed', 'renewal_begun', 'renewed', 'renewal_failed'] as const)
      expect(transition('reauthorization_due', event), event).toBe('reauthorization_due');
    expect(transition('reauthorization_due', 'end_moved')).toBe('healthy');
  });

  it('goes from the need of a renewal to its end', () => {
    const states = ['healthy' as ReturnType<typeof transition>];
    for (const event of ['renewal_needed', 'renewal_begun', 'renewal_failed', 'renewal_begun', 'renewed'] as const)
      states.push(transition(states.at(-1) ?? 'healthy', event));
    expect(states).toEqual(['healthy', 'expiring', 'refreshing', 'degraded', 'refreshing', 'healthy']);
  });

  it('leaves a paused connection paused, whatever else happens to it, until it is resumed', () => {
    for (const event of ['renewal_begun', 'renewed', 'renewal_failed', 'end_near', 'authorized'] as const)
      expect(transition('paused', event), event).toBe('paused');
    expect(transition('paused', 'resumed')).toBe('healthy');
  });
});

describe('what is shown', () => {
  it.each<[string, Partial<LifeFacts>, string]>([
    ['a token with time left', {}, 'healthy'],
    ['an access token that is over', { token_expires_at: inDays(-1) }, 'expiring'],
    ['an end in 61 days', { reauthorize_by: inDays(61) }, 'healthy'],
    ['an end in 60 days', { reauthorize_by: inDays(60) }, 'reauthorization_due'],
    ['a pause', { is_paused: true, life: 'refreshing' }, 'paused'],
    ['a revocation, also of what is paused', { is_paused: true, health_state: 'reconnect_required' }, 'revoked'],
    ['what was revoked and has been authorised anew', { life: 'revoked' }, 'healthy'],
    ['a renewal under way', { life: 'refreshing' }, 'refreshing'],
    ['a renewal whose process died', { life: 'refreshing', life_since: inDays(-1) }, 'degraded'],
    ['a failed renewal', { life: 'degraded' }, 'degraded'],
    ['a failed renewal near the end', { life: 'degraded', reauthorize_by: inDays(3) }, 'reauthorization_due'],
  ])('%s', (_name, facts, shown) => {
    expect(shownLife(row(facts), now)).toBe(shown);
  });
});
