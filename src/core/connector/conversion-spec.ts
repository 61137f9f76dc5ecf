/**
 * What a platform says of server-side conversion events, as data: where events can be sent to, what credential that
 * takes, how each member is written, normalised and hashed, and how its answers are read. The core validates, hashes,
 * queues, batches, sends and isolates what is refused; see `core/conversions`.
 */
import type { PolyadError } from '../errors/index.ts';
import type { Environment, PlatformRequest, PlatformResponse } from './types.ts';

/** Where an event happened. One destination takes events of one source. */
export const CONVERSION_SOURCES = ['web', 'app', 'offline', 'crm'] as const;
export type ConversionSource = (typeof CONVERSION_SOURCES)[number];

/** What is done to a value before it is hashed or sent, in order; `conversions/normalise.ts` has them. */
export type NormaliseStep =
  | 'trim'
  | 'lowercase'
  | 'uppercase'
  /** `+` and 8 to 15 digits; spaces, dots, dashes and brackets are taken out. Anything else is refused. */
  | 'e164'
  | 'no_spaces'
  /** Letters and digits of ASCII alone. */
  | 'alphanumeric'
  /** An IPv4 or IPv6 address of the public internet; others are refused. */
  | 'public_ip';

/** How a value that is not text is written. Default: text as it is. */
export type ConversionValue = 'text' | 'texts' | 'number' | 'integer' | 'boolean' | 'epoch_s' | 'contents';

/** One member of an event: where it stands in ours, where in the platform's, and what is done to it. */
export interface ConversionField {
  /** Dotted path in our event. */
  unified: string;
  /** Dotted path in the platform's event. */
  native: string;
  /** Sources that have it; absent = all. An event of another source that names it is refused by name. */
  sources?: readonly ConversionSource[];
  value?: ConversionValue;
  /** Before hashing or sending. */
  steps?: readonly NormaliseStep[];
  /** SHA-256 as lower-case hexadecimal. A value that is such a digest already is sent as it is. */
  hash?: 'sha256';
  /** The platform takes plain values and digests alike, and we send plain ones, but leave digests alone. */
  hashed?: 'as_given';
  /** One value or a list of them. */
  many?: boolean;
  /** Our values -> the platform's. Others are refused by name. */
  values?: Readonly<Record<string, string>>;
  /** Values the platform lists; others are refused by name. */
  allowed?: readonly string[];
  /** Members of each element, for `contents`: ours -> the platform's. */
  members?: Readonly<Record<string, { native: string; value: 'text' | 'number' | 'integer' }>>;
  /** The value identifies a person: it is kept out of everything that people read. */
  personal?: boolean;
}

/** Events of one source. */
export interface ConversionSourceSpec {
  /** What a destination of this source is at the platform, and where its id is found. */
  destination: { title: string; pattern: string; instruction: string };
  /** Our names -> the platform's. */
  events: Readonly<Record<string, string>>;
  /** Further names that the platform knows by itself. */
  natives: readonly string[];
  /** Whether names of one's own are taken. */
  custom: boolean;
  /** Whether the platform's standard names are. */
  standard: boolean;
  /** Members that every event must have, and sets of which it must have one. In our names. */
  required?: readonly string[];
  oneOf?: readonly (readonly string[])[];
  /** Native member (boolean) that says "use this with limits". Absent = such events are withheld. */
  limited?: string;
  /** Native scopes any of which lets the connection's own grant send these events. */
  grantScopes: readonly string[];
}

/** A kind of credential that sends events. `connection`: the connection's own grant, where an operator chose it. */
export interface ConversionCredential {
  kind: string;
  title: string;
  /** Where the operator finds it. */
  instruction: string;
}

/** A batch on its way. */
export interface ConversionBatch {
  source: ConversionSource;
  /** The destination's id at the platform. */
  sourceId: string;
  /** Code of a test view at the platform; the events then count for nothing. */
  testCode?: string;
  /** Each event as JSON text in the platform's form. */
  events: readonly string[];
}

/** What became of single events of a batch that the platform took as a whole. Those not named were accepted. */
export type ConversionFates = readonly { index: number; code?: string; message: string }[];

/**
 * Whose fault a refusal of a whole batch is. `event`: that of the event at `index`. `unknown`: of some event; it is
 * looked for by halves. `destination`: of the destination or its credential, so that events wait.
 */
export type ConversionBlame = { on: 'event'; index: number } | { on: 'unknown' } | { on: 'destination' };

export interface ConversionSpec {
  /** Where the platform takes events at all. */
  environments: readonly Environment[];
  sources: Partial<Record<ConversionSource, ConversionSourceSpec>>;
  /** Own credentials of destinations; the connection's grant is always named `connection`. */
  credentials: readonly ConversionCredential[];
  /** Most events in one request. */
  maxEvents: number;
  /** Events older than this count for nothing at the platform, so they are not sent. */
  maxAgeMs: number;
  /** How far an event may lie in the future: clocks differ. */
  maxAheadMs: number;
  fields: readonly ConversionField[];
  /** Native members that `raw` of an event must not set, beside those that the fields hash: dotted paths. */
  reserved: readonly string[];
  request(batch: ConversionBatch): PlatformRequest;
  /** Reads a success. Empty = all were accepted. */
  read(answer: PlatformResponse, count: number): ConversionFates;
  /** Reads a refusal. */
  blame(error: PolyadError, count: number): ConversionBlame;
}
