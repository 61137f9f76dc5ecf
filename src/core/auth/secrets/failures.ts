/** What the cloud clients throw, as our errors. One reading for secret managers and key services. */
import { type ErrorCode, PolyadError } from '../../errors/index.ts';

/** `missing` = not there or destroyed, `exists` = a secret of that name is there already, `full` = no more versions of it. */
export type FailureKind = 'unavailable' | 'throttled' | 'denied' | 'missing' | 'exists' | 'full';

/** A failed call of a cloud service. Carries no cause: some clients' errors hold requests with their credentials. */
export class CloudFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, reason: string) {
    super(reason);
    this.name = 'CloudFailure';
    this.kind = kind;
  }
}

interface Thrown {
  name?: string;
  message?: string;
  code?: string | number;
  status?: number;
  statusCode?: number;
  $metadata?: { httpStatusCode?: number };
  response?: { status?: number };
}

/** Names that tell more than the status. AWS: API references of Secrets Manager and KMS, "Common errors". */
const BY_NAME: Record<string, FailureKind> = {
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
  LimitExceededException: 'full',
  KMSInternalException: 'unavailable',
  DependencyTimeoutException: 'unavailable',
  InternalServiceError: 'unavailable',
  TimeoutError: 'unavailable',
  AbortError: 'unavailable',
  ResourceNotFoundException: 'missing',
  NotFoundException: 'missing',
  ResourceExistsException: 'exists',
  AccessDeniedException: 'denied',
  UnrecognizedClientException: 'denied',
  InvalidSignatureException: 'denied',
  InvalidClientTokenId: 'denied',
  ExpiredTokenException: 'denied',
  MissingAuthenticationTokenException: 'denied',
  CredentialsProviderError: 'denied',
  DisabledException: 'denied',
  KMSInvalidStateException: 'denied',
  InvalidCiphertextException: 'denied',
  IncorrectKeyException: 'denied',
  DecryptionFailure: 'denied',
  EncryptionFailure: 'denied',
  // @azure/identity: no credential is configured, or Entra ID refused the one that is.
  CredentialUnavailableError: 'denied',
};

/** Codes of gRPC, which Google's clients use over REST too (google.rpc.Code). */
const BY_GRPC: Record<number, FailureKind> = {
  3: 'denied',
  4: 'unavailable',
  5: 'missing',
  6: 'exists',
  7: 'denied',
  8: 'throttled',
  // A version that was disabled or destroyed.
  9: 'missing',
  13: 'unavailable',
  14: 'unavailable',
  16: 'denied',
};

/** Google's REST clients put the whole answer into the message. */
function googleText(message: string): string {
  if (!message.startsWith('{')) return message;
  try {
    return (JSON.parse(message) as { error?: { message?: string } }).error?.message ?? message;
  } catch {
    return message;
  }
}

const byStatus = (status: number): FailureKind =>
  status === 404
    ? 'missing'
    : status === 409
      ? 'exists'
      : status === 429
        ? 'throttled'
        : status >= 400 && status < 500
          ? 'denied'
          : 'unavailable';

/** Reads what a client threw. What we do not know counts as an outage: it is tried again and marks nothing as lost. */
export function readFailure(thrown: unknown): CloudFailure {
  if (thrown instanceof CloudFailure) return thrown;
  const error = (thrown ?? {}) as Thrown;
  const text = googleText(error.message ?? '');
  const reason = [error.name, text].filter(Boolean).join(': ').replace(/\s+/g, ' ').slice(0, 300);
  // Google's REST clients give the status as `code`.
  const coded = typeof error.code === 'number' && error.code >= 100 ? error.code : undefined;
  const status = error.$metadata?.httpStatusCode ?? error.statusCode ?? error.response?.status ?? coded;
  let kind: FailureKind;
  // AWS says this of a secret that is scheduled for deletion.
  if (error.name === 'InvalidRequestException')
    kind = /marked for deletion|was marked/i.test(text) ? 'missing' : 'denied';
  else if (error.name !== undefined && Object.hasOwn(BY_NAME, error.name)) kind = BY_NAME[error.name] as FailureKind;
  else if (typeof error.code === 'number' && Object.hasOwn(BY_GRPC, error.code))
    kind = BY_GRPC[error.code] as FailureKind;
  // Versions that were destroyed (Google) or switched off (Azure).
  else if (/FAILED_PRECONDITION|disabled secret/i.test(error.message ?? '')) kind = 'missing';
  else if (status !== undefined) kind = byStatus(status);
  else if (/default credentials|invalid_grant|invalid_client|AADSTS7\d{5,}/.test(text)) kind = 'denied';
  else kind = 'unavailable';
  return new CloudFailure(kind, reason);
}

const SECRET_CODE: Record<FailureKind, ErrorCode> = {
  unavailable: 'secret_store_unavailable',
  throttled: 'secret_store_throttled',
  denied: 'secret_store_denied',
  missing: 'secret_store_missing',
  exists: 'secret_store_unavailable',
  full: 'secret_store_throttled',
};

/** A failure of a secret manager. `service` for people: `AWS Secrets Manager`. */
export function secretFailure(thrown: unknown, service: string, during: string): PolyadError {
  const { kind, message } = readFailure(thrown);
  return new PolyadError(SECRET_CODE[kind], {
    message: `${service} ${WORDS[kind]} (${during}): ${message}`,
    details: { service, during, kind },
    ...(kind === 'unavailable' || kind === 'throttled' || kind === 'full' ? { retryAfterMs: 5_000 } : {}),
  });
}

/** A failure of a key management service. */
export function keyFailure(thrown: unknown, service: string, keyId: string): PolyadError {
  const { kind, message } = readFailure(thrown);
  const outage = kind === 'unavailable' || kind === 'throttled' || kind === 'full';
  return new PolyadError(outage ? 'vault_key_service_unavailable' : 'vault_key_service_denied', {
    message: `${service} ${WORDS[kind]} (master key "${keyId}"): ${message}`,
    details: { service, key_id: keyId, kind },
    ...(outage ? { retryAfterMs: 5_000 } : {}),
  });
}

const WORDS: Record<FailureKind, string> = {
  unavailable: 'does not answer',
  throttled: 'refuses more requests for now',
  denied: 'refuses this server',
  missing: 'does not have it',
  exists: 'has such a secret already',
  full: 'takes no more of them',
};
