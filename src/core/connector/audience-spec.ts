/**
 * Members of audiences: by what they are matched, how that is normalised and hashed, and how a platform takes them. The
 * core reads, hashes and batches; a person's address or number never leaves it in the clear, and is never kept.
 */
import type { NormaliseStep } from './conversion-spec.ts';
import type { OperationInput } from './object-spec.ts';
import type { Native } from './types.ts';

/** By what a member can be named. */
export const AUDIENCE_IDENTIFIERS = ['email', 'phone', 'idfa', 'gaid'] as const;
export type AudienceIdentifier = (typeof AUDIENCE_IDENTIFIERS)[number];

/** One way in which the platform takes an identifier. */
export interface IdentifierRule {
  /** Before hashing with SHA-256. */
  steps: readonly NormaliseStep[];
  /** Its column in streams; absent = not taken there. */
  stream?: string;
  /** Its kind in files; absent = not taken there. */
  file?: string;
}

/** Columns and rows of one batch; a cell is a lower-case SHA-256 digest, or undefined where a member has none. */
export interface MemberBatch {
  columns: readonly string[];
  rows: readonly (readonly (string | undefined)[])[];
}

export interface AudienceSpec {
  identifiers: Partial<Record<AudienceIdentifier, IdentifierRule>>;
  /** Whether an audience, by its native row, takes members by stream, by file, or not at all. */
  method(row: Native): 'stream' | 'file' | 'none';
  /** For files: the kind of identifier that the audience holds. */
  fileKind(row: Native): string | undefined;
  stream: {
    /** Most members in one request. */
    maxRows: number;
    send(input: OperationInput, audienceId: string, action: 'add' | 'remove', batch: MemberBatch): Promise<void>;
  };
  file: {
    /** Most members in one file that is uploaded, and most files in one creation. */
    maxRows: number;
    maxFiles: number;
    /** Uploads one value a line; answers what the platform calls the file. */
    upload(input: OperationInput, kind: string, text: Uint8Array): Promise<string>;
    create(
      input: OperationInput,
      audience: { name: string; kind: string; retentionDays?: number | undefined },
      files: readonly string[],
    ): Promise<string>;
    update(
      input: OperationInput,
      audienceId: string,
      action: 'add' | 'remove' | 'replace',
      files: readonly string[],
    ): Promise<void>;
  };
  /** Puts it to use in groups, or takes it out of use. */
  apply(
    input: OperationInput,
    audienceId: string,
    use: { groupIds: readonly string[]; action: 'apply' | 'disconnect'; usage: 'include' | 'exclude' },
  ): Promise<void>;
  /** Lets other ad accounts use it, or ends that. */
  share(
    input: OperationInput,
    audienceId: string,
    share: { organizationIds: readonly string[]; action: 'share' | 'cancel' },
  ): Promise<void>;
}
