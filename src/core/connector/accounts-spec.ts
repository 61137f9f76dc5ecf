/**
 * What lies above ad accounts: businesses that own them, share them and give people roles on them (Business Centers,
 * business portfolios, manager accounts). `core/accounts` keeps the tree, compares it with what was known, and says what
 * a customer has to do; the platform reads it and carries actions out.
 */
import type { CallContext, Native, PlatformRequest } from './types.ts';

/** What somebody may do with an account, in common terms; the platform's own word stands beside it. */
export type AccountRole = 'admin' | 'operator' | 'analyst' | 'member' | 'none';

export type AccountStatus = 'active' | 'pending' | 'suspended' | 'rejected' | 'unknown';

/** A business or an ad account, as the grant sees it. */
export interface AccountNode {
  id: string;
  kind: 'business' | 'organization';
  name?: string;
  status: AccountStatus;
  /** The platform's own words for status and role, where it has any. */
  native_status?: string;
  role: AccountRole;
  native_role?: string;
  /** Business that owns the ad account; a business that shares another's has it among its own all the same. */
  owner_id?: string;
  owner_name?: string;
  /** Businesses through which the grant's user reaches it. */
  parent_ids: string[];
  currency?: string;
  time_zone?: string;
  /** Whether the grant itself reaches it: customers may tick fewer accounts than they have. */
  granted: boolean;
}

/** A part of the tree that could not be read. */
export interface AccountGap {
  /** `businesses`, or the id of the business whose accounts are not known. */
  part: string;
  reason: string;
  /** Native scope that the grant lacks, where that is the reason. */
  scope?: string;
}

/** One change of who may use what. */
export interface AccountAction {
  title: string;
  /** Members of the body. */
  fields: readonly {
    name: string;
    kind: 'id' | 'ids' | 'text' | 'emails' | 'amount' | 'choice';
    choices?: readonly string[];
    most?: number;
    required: boolean;
    text: string;
  }[];
  /** Moves money: needs the scope `spend`, is never sent twice, and wants an Idempotency-Key. */
  money?: boolean;
  /** `token`: the same for every retry of one caller request. */
  request(body: Native, token: string): PlatformRequest;
  /** Members of the platform's answer that are handed on. */
  read(answer: unknown): Native;
}

export interface AccountsSpec {
  /** What the platform calls a business: `Business Center`. */
  business: string;
  /** Reads everything, businesses first. */
  read(ctx: CallContext): Promise<{ nodes: AccountNode[]; gaps: AccountGap[] }>;
  /** Roles with which an ad account can be changed. */
  writes: readonly AccountRole[];
  actions: Readonly<Record<string, AccountAction>>;
  /** How a customer without a business makes one, and shares accounts with it. */
  beginning: readonly { text: string; url?: string }[];
  /** What a customer does to let the app reach an account again, or one more. */
  restore: { business: string; organization: string; role: string; notGranted: string };
}
