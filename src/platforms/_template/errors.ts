/** What Acme's answers mean. This only classifies: the core waits, retries, marks and reports. */
import type { Classification, ErrorSpec } from '../../core/connector/types.ts';

type Meaning = Pick<Classification, 'code' | 'retry' | 'scope'>;

/** Acme's error codes. Source: https://docs.acme.example/errors. */
const TABLE: Readonly<Record<string, Meaning>> = {
  token_invalid: { code: 'connection_reconnect_required', retry: 'never', scope: 'connection' },
  not_found: { code: 'platform_not_found', retry: 'never', scope: 'request' },
  too_many_requests: { code: 'platform_rate_limited', retry: 'after', scope: 'app' },
  invalid: { code: 'platform_rejected', retry: 'never', scope: 'request' },
};

/** Acme's errors. */
export const errors: ErrorSpec = {
  classify(_request, { status, headers, json, text }) {
    if (status < 300 && json !== undefined) return null;
    const error = ((json ?? {}) as { error?: { code?: string; message?: string } }).error;
    const requestId = headers['x-request-id'];
    const native = {
      code: error?.code ?? String(status),
      message: error?.message ?? text.slice(0, 200),
      ...(requestId === undefined ? {} : { requestId }),
    };
    const known = TABLE[error?.code ?? ''];
    if (known !== undefined) return { ...known, native };
    // A gateway's page, an answer cut in the middle, a fault of the platform itself.
    if (status >= 500 || json === undefined)
      return { code: 'platform_unavailable', retry: 'after', scope: 'platform', native };
    return { code: 'platform_unknown_error', retry: 'never', scope: 'request', native };
  },
};
