/** The one error class of polyad, and the one way it is written on the wire. */
import { type Actor, ERRORS, type ErrorCode, type ErrorRow, type Retry } from './errors-table.ts';

export { type Actor, ERRORS, type ErrorCode, type ErrorRow, type Retry };

/** What the platform itself said, kept beside our own words. Never holds tokens or secrets. */
export interface PlatformFault {
  /** Slug of the integration, for example the value of `integration_type`. */
  integration_type?: string;
  status?: number;
  code?: string;
  message?: string;
  request_id?: string;
}

export interface PolyadErrorOptions {
  /** Replaces the table's sentence where something more exact is known. */
  message?: string;
  /** Facts for the reader: field names, allowed values, ids. Never secrets. */
  details?: Record<string, unknown>;
  platform?: PlatformFault;
  /** For `retry: after`. */
  retryAfterMs?: number;
  cause?: unknown;
}

/** A failure with a stable code; everything the caller must know is in it. */
export class PolyadError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly actor: Actor;
  readonly retry: Retry;
  readonly details: Record<string, unknown> | undefined;
  readonly platform: PlatformFault | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, options: PolyadErrorOptions = {}) {
    const entry: ErrorRow = ERRORS[code];
    super(options.message ?? entry.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PolyadError';
    this.code = code;
    this.status = entry.status;
    this.actor = entry.actor;
    this.retry = entry.retry;
    this.details = options.details;
    this.platform = options.platform;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** What to do about it, from the table. */
  get fix(): string {
    return ERRORS[this.code].fix;
  }
}

/** The body of every error answer. `statusCode`, `error` and `message` are what generic clients look for. */
export interface ErrorBody {
  statusCode: number;
  error: string;
  message: string;
  code: ErrorCode;
  actor: Actor;
  retry: Retry;
  retry_after_ms?: number;
  fix: string;
  docs: string;
  request_id: string;
  details?: Record<string, unknown>;
  platform?: PlatformFault;
}

const REASONS: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** Any thrown thing as a PolyadError; what we do not know becomes `internal`, its text kept out of the answer. */
export function asPolyadError(thrown: unknown): PolyadError {
  return thrown instanceof PolyadError ? thrown : new PolyadError('internal', { cause: thrown });
}

/** The wire form of an error. */
export function errorBody(error: PolyadError, requestId: string): ErrorBody {
  return {
    statusCode: error.status,
    error: REASONS[error.status] ?? 'Error',
    message: error.message,
    code: error.code,
    actor: error.actor,
    retry: error.retry,
    ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: Math.ceil(error.retryAfterMs) }),
    fix: error.fix,
    docs: `/docs/errors#${error.code}`,
    request_id: requestId,
    ...(error.details === undefined ? {} : { details: error.details }),
    ...(error.platform === undefined ? {} : { platform: error.platform }),
  };
}
