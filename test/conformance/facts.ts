/** What the conformance suite must know of a platform beside its module: taken from its documentation, not from our code. */

import type { Environment, ObjectName, PlatformRequest } from '../../src/core/connector/types.ts';
import type { ErrorCode } from '../../src/core/errors/index.ts';
import type { Json, TestApp } from '../support/app.ts';
import type { TapAnswer } from '../support/tap.ts';

/** One way in which the platform's tokens live. */
export interface TokenFacts {
  name: string;
  /** Settings of the simulator that make it so. */
  settings: Record<string, unknown>;
  /** More of the auth address (`grant`), and what the person at the consent page adds. */
  query?: Record<string, string>;
  consent?(ready: Json): Record<string, unknown>;
  /** Life of an access token in ms; absent = it has no end and nothing renews it. */
  lifeMs?: number;
  /** Life of the refresh token in ms. */
  refreshLifeMs?: number;
  /** A cheap call with such a token, relative to the server. */
  call(connectionId: string): { method: string; path: string; body?: unknown };
}

/** One quota of the platform and how to use it up. */
export interface QuotaFacts {
  name: string;
  environment: Environment;
  /** Names of the manifest's buckets that bound the call. */
  buckets: readonly string[];
  /** Three times the limit of the bucket that is tested. */
  calls: number;
  request(ready: Json): PlatformRequest;
}

/** Another client of the same app that leaves nothing of a quota. */
export interface ExhaustedFacts {
  name: string;
  /** Sends calls by itself until the platform says no. */
  exhaust(polyad: TestApp): Promise<void>;
  /**
   * For how long nothing may be sent after a refusal, and the quota (by its name in the manifest) that callers are told of
   * meanwhile. More than one where the platform's answer does not say which quota it was: in the order of trying.
   */
  rests: readonly { bucket: string; ms(now: Date): number }[];
  /** Default: the connection of the suite. */
  environment?: 'sandbox';
  /** The ad account that is asked about; default: the suite's. */
  organization?(ready: Json): string;
}

/** One ad account whose currency or zone is special. */
export interface AccountFacts {
  id: string;
  currency: string;
  zone: string;
  /** Amounts that it can hold exactly, as numbers. */
  amounts: readonly number[];
  /** An amount finer than the currency. */
  tooFine: number;
}

/** A rare answer that the simulator can be brought to give to a read of campaigns. */
export interface ForcedError {
  name: string;
  nativeCode: string;
  code: ErrorCode;
  force(polyad: TestApp): Promise<void>;
  undo(polyad: TestApp): Promise<void>;
}

export interface PlatformFacts {
  /** Consents of the default grant as a person gives them, and one who declines. */
  decline: Record<string, unknown>;
  tokens: readonly TokenFacts[];
  /** The customer withdraws the grant at the platform. */
  revoke(polyad: TestApp): Promise<void>;
  /** Body of `POST /unified/connection` that brings the ready token of the simulator. */
  importBody(ready: Json, environment: Environment): Record<string, unknown>;
  /** Ad accounts that a grant of everything reaches, from the simulator's own state. */
  accounts(polyad: TestApp): Promise<{ id: string; currency: string; timezone: string; parent_id?: string }[]>;
  /** Makes so many further ad accounts that the ready token reaches, more than fit in one call of the platform. */
  manyAccounts?: { count: number; seed(polyad: TestApp): Promise<string[]> };
  /** One of several ad accounts is refused by the platform when it is read: the others are there all the same. */
  refuseAccount?(polyad: TestApp): Promise<{ refused: string; undo(): Promise<void> }>;

  /** Lists: which object, how many rows a page of the platform holds, and a new ad account with exactly `n` of them. */
  list: { object: ObjectName; page: number; seed(polyad: TestApp, n: number): Promise<string> };
  /** Path of the platform's list of campaigns, of its creation, and of its change. */
  paths: { campaigns: string; createCampaign: string; updateCampaign: string };
  /** An ad account with campaigns. */
  organization(ready: Json): string;
  accountsOfValues(ready: Json): readonly AccountFacts[];
  bodies: {
    campaign(name: string, amount: number): Record<string, unknown>;
    group(campaignId: string, name: string, amount: number, start: Date, end: Date): Record<string, unknown>;
  };
  /** Native members of a campaign row: its name, its amount as the platform holds it. */
  native: { name: string; amount(row: Json): string; rows(answer: Json): Json[] };
  /** Puts a member and a value into a list answer that no documentation has. */
  unknown: { member: string; enumMember: string; enumValue: string; unified: string };

  quotas: readonly QuotaFacts[];
  exhausted: readonly ExhaustedFacts[];

  /** Every documented error code and what it is for a caller; null = no failure. */
  errors: Readonly<Record<string, ErrorCode | null>>;
  /** An answer with that code. */
  errorAnswer(code: string): TapAnswer;
  forced: readonly ForcedError[];
  /** The platform's version gate: path that requests use, and one of an older version. */
  version: { current: string; old: string };
}
