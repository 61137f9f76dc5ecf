/** The unified objects of a platform: how each is listed, read, created, changed and removed. `core/objects` carries it out. */
import type { ErrorCode } from '../errors/index.ts';
import type { FieldRule } from './fields.ts';
import type { PagingRecipe } from './paging.ts';
import type { CallContext, Native, OrganizationFacts, PlatformRequest, Unified, Verb } from './types.ts';

/** Unified list options after parsing, without paging. Absent members were not asked. */
export interface ListFilters {
  org_id?: string;
  parent_id?: string;
  campaign_id?: string;
  group_id?: string;
  ad_id?: string;
  io_id?: string;
  status?: string;
  effective_status?: string;
  goal?: string;
  type?: string;
  query?: string;
  updated_gte?: string;
  start_gte?: string;
  end_lt?: string;
}

export type FilterName = keyof ListFilters;

/**
 * How a list option is honoured. `native`: put into the request by `apply`. `local`: the core filters decoded objects
 * itself after reading all rows, which is honest though slower. Options without a rule are refused by name.
 */
export type FilterRule =
  | { kind: 'native'; apply(value: string, query: Native, ctx: CallContext): void }
  | { kind: 'local' }
  /** Native narrows, the core then checks each row too (fuzzy native search, coarser native status groups ...). */
  | { kind: 'native_then_local'; apply(value: string, query: Native, ctx: CallContext): void };

/** What an operation is called with. */
export interface OperationInput {
  ctx: CallContext;
  /** Ad account; set for objects with `scope: 'organization'`. */
  organization: OrganizationFacts;
  /** Extra native query parameters of the caller (`raw=`). */
  raw: Native;
  /** Whether the caller asked for a field by name: those of `ObjectSpec.slowFields` are read for such callers alone. */
  wants?(field: string): boolean;
}

export interface ListOperation {
  /** The request without paging members. `query` is what filters write into. */
  request(input: OperationInput, filters: ListFilters): PlatformRequest;
  /** Dotted path of the rows in the JSON answer. */
  rows: string;
  paging: PagingRecipe;
  filters: Partial<Record<FilterName, FilterRule>>;
  /** Where the filters' native members go in the query: dotted path, for example `filtering`; default the query itself. */
  filterPath?: string;
  /** For lists that are not one paged call: yields native rows; the core windows, filters and decodes them. */
  run?(input: OperationInput, filters: ListFilters): AsyncIterable<Native>;
  /**
   * Where `run` is needed in some ad accounts only: whether it is in this one. Elsewhere the paged call is made, which can
   * begin at any row. A row that `unfit` knows says that the answer was wrong after all.
   */
  needsRun?(input: OperationInput): Promise<boolean>;
  unfit?(row: Native): boolean;
}

export interface CreateResult {
  /** The object as the platform gave it back; decoded as if it had been read. */
  row: Native;
}

/** What a creation whose answer was lost is known by. */
export interface LostCreate {
  unified: Unified;
  /** The encoded body. */
  native: Native;
  /** `WriteContext.requestToken` of the lost request. */
  requestToken: string;
  /** Not created earlier than this, by the platform's clock as far as ours tells. */
  since: Date;
}

/** How a creation is kept from being done twice when its answer is lost. */
export interface CreateIdempotency {
  /**
   * The platform's own aid: within `windowMs` of the first request, a second one with the same
   * `WriteContext.requestToken` creates nothing and is refused, classified `platform_duplicate`.
   */
  aid?: { name: string; windowMs: number };
  /**
   * Rows that the lost request may have created: same parent, same name, created since then, deleted ones included.
   * Undefined = the body holds nothing to look for.
   */
  find(input: OperationInput, lost: LostCreate): Promise<Native[] | undefined>;
  /**
   * So long after a creation lists show it for certain; what is not there then was not created. Absent = the platform
   * promises nothing, so that a creation that cannot be found stays unknown.
   */
  settledMs?: number;
  /** Where a person looks, in one sentence. */
  check: string;
}

/** What became of one object in a request about many. */
export interface BatchOutcome {
  id: string;
  /** Absent = done. */
  error?: { code: ErrorCode; message: string };
}

/** One kind of object on one platform. */
export interface ObjectSpec {
  /** Native name, for docs and errors: `adgroup`. */
  native: string;
  /** `organization`: every call needs an ad account. `connection`: it does not (the ad accounts themselves). */
  scope: 'organization' | 'connection';
  fields: readonly FieldRule[];
  list?: ListOperation;
  /** Undefined answer = not found. */
  get?(input: OperationInput, id: string): Promise<Native | undefined>;
  /** `native` is the encoded body. `idempotencyKey` is stable for retries of the same caller request. */
  create?(input: OperationInput, native: Native, write: WriteContext): Promise<CreateResult>;
  /** `native` holds the changed members alone. `current` reads the object as it is. */
  update?(input: OperationInput, id: string, native: Native, write: WriteContext): Promise<CreateResult>;
  /** What it answers is told to the caller: what went with the object, for example. */
  remove?(input: OperationInput, id: string, write: WriteContext): Promise<Unified | undefined> | Promise<void>;
  /** How a lost creation is found again; without it, it stays `write_outcome_unknown`. */
  idempotency?: CreateIdempotency;
  /** Where the platform changes the status of several objects in one request. `status` is unified. */
  statusBatch?: {
    maxIds: number;
    /** `native` is the encoded status. One outcome per id. Throws when the whole request was refused. */
    run(input: OperationInput, ids: readonly string[], native: Native): Promise<BatchOutcome[]>;
  };
  /** Why a verb is missing and what to do instead: told to callers by `method_unsupported`. */
  refusals?: Partial<Record<Verb, string>>;
  /** Changes native rows after reading, before decoding: joins, look-ups (slow fields). One call per page. */
  enrich?(input: OperationInput, rows: Native[]): Promise<Native[]>;
  /** The same in the other direction, before encoding: default values, look-ups, checks across fields. */
  prepare?(input: OperationInput, unified: Unified, verb: 'create' | 'update'): Promise<Unified>;
  /** Unified fields that cost extra calls; listed in the capability map and read only when asked. */
  slowFields?: readonly string[];
}

export interface WriteContext {
  /** Unified body as the caller sent it. */
  unified: Unified;
  /** A number-like string that is the same for every retry of one caller request, for platforms with such an aid. */
  requestToken: string;
  /** The object's current native row; read at most once. */
  current(): Promise<Native>;
}
