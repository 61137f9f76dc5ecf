/** A context whose platform is a function of the test: for answers that no simulator gives on demand. */
import type { CallContext, Native, OrganizationFacts, PlatformRequest } from '../../../../src/core/connector/types.ts';
import { PolyadError } from '../../../../src/core/errors/index.ts';
import { errors } from '../../../../src/platforms/tiktok/errors.ts';

export interface Answer {
  data: unknown;
  code?: number;
  message?: string;
  headers?: Record<string, string>;
}

export interface Fake {
  ctx: CallContext;
  requests: PlatformRequest[];
  organization: OrganizationFacts;
}

/** Answers every request by `answer`; failures are thrown as the pipeline would throw them. */
export function fakeContext(answer: (request: PlatformRequest, query: Native) => Answer): Fake {
  const requests: PlatformRequest[] = [];
  const memory = new Map<string, Promise<unknown>>();
  const unused = async (): Promise<never> => {
    throw new Error('not used here');
  };
  const ctx: CallContext = {
    environment: 'simulator',
    async request(request) {
      requests.push(request);
      const { data, code = 0, message = 'OK', headers = {} } = answer(request, request.query ?? {});
      const response = { status: 200, headers, json: { code, message, request_id: 'r', data }, text: '' };
      const failure = errors.classify(request, response);
      if (failure !== null) throw new PolyadError(failure.code, { platform: failure.native });
      return response;
    },
    stream: unused,
    organizations: unused,
    organization: unused,
    jobEnded: unused,
    remember: <T>(key: string, _ttl: number, load: () => Promise<T>) => {
      if (!memory.has(key)) memory.set(key, load());
      return memory.get(key) as Promise<T>;
    },
    grantedScopes: [],
    knownOrganizationIds: [],
    now: () => new Date('2026-11-22T12:00:00Z'),
    log: { debug() {}, warn() {} },
    signal: new AbortController().signal,
  };
  return { ctx, requests, organization: { id: '7001', currency: 'USD', timeZone: 'UTC' } };
}
