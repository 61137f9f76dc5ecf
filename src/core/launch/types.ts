/** What the way to production access looks like today. */
import type { LaunchCheckName, LaunchQuestion, LaunchStep } from '../connector/launch-spec.ts';
import type { LaunchSubmissionRow } from '../store/schema.ts';

/** `ok`: holds, with evidence. `open`: not done, or not known yet. `fails`: the review would stumble over it today. */
export type CheckStatus = 'ok' | 'open' | 'fails';

export interface CheckResult {
  id: LaunchCheckName | `answer:${string}`;
  status: CheckStatus;
  title: string;
  /** What was found, one sentence each. */
  evidence: string[];
  /** What to do; absent where nothing is to be done. */
  fix?: string;
}

export interface AnsweredQuestion extends LaunchQuestion {
  value?: unknown;
  answered_at?: string;
  answered_by?: string;
}

export interface StepResult extends Omit<LaunchStep, 'checks' | 'questions'> {
  status: CheckStatus;
  checks: CheckResult[];
  questions: string[];
}

/**
 * One native scope. `used`: calls needed it. `unused`: asked for, and no call ever needed it. `wider`: asked for, though
 * narrower ones below it would do. `missing`: calls needed it, and it is not asked for.
 */
export interface ScopeResult {
  scope: string;
  name: string;
  verdict: 'used' | 'unused' | 'wider' | 'missing';
  /** Operations that needed it, with the number of calls. */
  operations: { operation: string; calls: number }[];
  /** For `wider`: the narrower ones that were used. */
  narrower?: string[];
}

export interface ScopeReport {
  /** `operator`: the answer to the question. `settings`: the integration's settings. `none`: not known. */
  source: 'operator' | 'settings' | 'none';
  scopes: ScopeResult[];
  /** The fewest with which everything that was called works. */
  least: { scope: string; name: string }[];
}

/** Calls of one operation by environment. */
export interface EndpointUse {
  operation: string;
  scopes: { scope: string; name: string }[];
  environments: Record<string, { calls: number; failed: number; codes: Record<string, number>; last_day: string }>;
}

export interface TrafficReport {
  peaks: { environment: string; per_minute: number; per_day: number }[];
  /** The level that the operator's app has, as far as it is configured. */
  level: string;
  /** What the measured traffic needs, with room; absent = nothing measured. */
  needed?: { level: string; per_minute: number; per_day: number; basis: string };
}

export interface SubmissionView extends Pick<LaunchSubmissionRow, 'id' | 'outcome' | 'note' | 'snapshot'> {
  submitted_at: string;
  outcome_at?: string;
}

export interface LaunchReport {
  integration_type: string;
  name: string;
  portal: { name: string; url: string };
  generated_at: string;
  /** Nothing fails and nothing is open. */
  ready: boolean;
  steps: StepResult[];
  would_fail: { id: string; step: string; title: string; reason: string; fix: string }[];
  open: { id: string; step: string; title: string; fix: string }[];
  questions: AnsweredQuestion[];
  scopes: ScopeReport;
  endpoints: EndpointUse[];
  traffic: TrafficReport;
  data_security: { question: string; answer: string }[];
  timeline: { what: string; days: readonly [number, number]; source: string }[];
  submissions: SubmissionView[];
  /** Whether what was approved has changed since, and how. */
  re_review: { needed: boolean; reasons: string[] };
}
