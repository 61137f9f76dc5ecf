/**
 * The way to a platform's production access, as data: what its review asks, which of it polyad can find out by itself,
 * and which it must ask the operator. `core/launch` works it out; the platform only describes it.
 */
import type { Environment } from './types.ts';

/** What the core finds out by itself. `core/launch/checks.ts` has one function for each. */
export const LAUNCH_CHECKS = [
  'answers',
  'credentials',
  'redirects',
  'website',
  'privacy_policy',
  'scopes',
  'consent',
  'revocation',
  'rehearsed',
  'sandbox',
  'refusals',
  'storage',
  'https',
  'quota',
] as const;
export type LaunchCheckName = (typeof LAUNCH_CHECKS)[number];

/** Something that only the operator knows. Answers are kept with date and author. */
export interface LaunchQuestion {
  /** Dotted: `app.privacy_policy`. */
  key: string;
  text: string;
  kind: 'text' | 'url' | 'urls' | 'scopes' | 'choice' | 'number';
  /** For `choice`. */
  choices?: readonly string[];
  /** Answers of a `choice` with which a review can pass; others leave the step open, or fail it. */
  passes?: readonly string[];
  fails?: readonly string[];
  /** Not needed to pass. */
  optional?: boolean;
  /** What the review does with it, or where it stands at the platform. */
  help: string;
}

export interface LaunchStep {
  id: string;
  title: string;
  /** What to do, in a sentence or two. */
  what: string;
  /** Where the step is from: the platform's own documents, an integrator's guide, or both. */
  origin: 'official' | 'guide' | 'both';
  source: string;
  checks: readonly LaunchCheckName[];
  /** Keys of the questions that belong to it. */
  questions: readonly string[];
}

/** One thing that a privacy policy must speak of. */
export interface PolicyPoint {
  id: string;
  /** What it must say, for people. */
  says: string;
  /** Any of these, case-insensitive, in the page's text. */
  words: readonly string[];
}

export interface AccessLevel {
  name: string;
  perSecond: number;
  perMinute: number;
  perDay: number;
}

export interface LaunchSpec {
  portal: { name: string; url: string };
  steps: readonly LaunchStep[];
  questions: readonly LaunchQuestion[];
  /** Native scopes: names, and the parent whose grant includes them. */
  scopes: Readonly<Record<string, { name: string; parent?: string }>>;
  /** Native scope -> the operations that it opens. Operations in no list need none. */
  scopeOperations: Readonly<Record<string, readonly string[]>>;
  redirects: {
    /** How many an app may have. */
    most: number;
    /** Environments in which `http://localhost` is accepted. */
    localhostIn: readonly Environment[];
  };
  policy: readonly PolicyPoint[];
  /** Lowest first. */
  levels: readonly AccessLevel[];
  timeline: readonly { what: string; days: readonly [number, number]; source: string }[];
  /** Steps that a reviewer can follow on a running server, in order. */
  demo: readonly string[];
  /** What a scope change after a review means. */
  scopeChange: string;
}
