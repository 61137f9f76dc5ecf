/** A TikTok simulator for one test file: in memory, on a free port, with short ways to call it. */
import type { RunningSimulator } from '../../src/simulators/kit/types.ts';
import { simulator } from '../../src/simulators/tiktok/index.ts';

/** TikTok's envelope. */
export interface Envelope {
  code: number;
  message: string;
  request_id: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers of a hundred shapes; each test says what it expects.
  data: any;
}

/** How a call differs from the usual one. */
export interface CallOptions {
  /** The ready token if absent; null = no header. */
  token?: string | null;
  sandbox?: boolean;
}

/** What the ready line says of the test app and account. */
export interface TikTokReady {
  app_id: string;
  secret: string;
  access_token: string;
  advertiser_ids: string[];
  sandbox_access_token: string;
  sandbox_advertiser_id: string;
  bc_ids: string[];
  /** A token of the Events Manager for the first ad account. */
  events_access_token: string;
  /** `event_source_id` of the first ad account's pixel, app, offline and CRM event sets. */
  event_source_ids: Record<'web' | 'app' | 'offline' | 'crm', string>;
}

/** A running simulator and its callers. */
export interface TestTikTok {
  running: RunningSimulator;
  url: string;
  ready: TikTokReady;
  /** GET `path` (`campaign/get`); arrays and objects become one JSON document, as TikTok wants it. */
  get(path: string, query?: Record<string, unknown>, options?: CallOptions): Promise<Envelope>;
  /** POST `path` with a JSON body. */
  post(path: string, body: unknown, options?: CallOptions): Promise<Envelope>;
  /** The bare response of any request to the simulator. */
  raw(path: string, init?: RequestInit): Promise<Response>;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  control(method: string, path: string, body?: unknown): Promise<any>;
  close(): Promise<void>;
}

/** Starts it; limits are off unless asked for, since tests call faster than an app may. */
export async function startTikTok(options: { dataDir?: string; limits?: 'on' | 'off' } = {}): Promise<TestTikTok> {
  const running = await simulator.start({ port: 0, ...(options.dataDir ? { dataDir: options.dataDir } : {}) });
  const ready = running.ready as unknown as TikTokReady;
  const headers = ({ token, sandbox }: CallOptions): Record<string, string> => {
    const used = token === undefined ? (sandbox ? ready.sandbox_access_token : ready.access_token) : token;
    return used === null ? {} : { 'Access-Token': used };
  };
  const base = ({ sandbox }: CallOptions) => `${running.url}${sandbox ? '/sandbox' : ''}/open_api/v1.3`;
  const read = async (response: Response): Promise<Envelope> => (await response.json()) as Envelope;

  const test: TestTikTok = {
    running,
    url: running.url,
    ready,
    async get(path, query = {}, options = {}) {
      const search = new URLSearchParams();
      for (const [name, value] of Object.entries(query)) {
        if (value !== undefined) search.set(name, typeof value === 'string' ? value : JSON.stringify(value));
      }
      return read(await fetch(`${base(options)}/${path}/?${search}`, { headers: headers(options) }));
    },
    async post(path, body, options = {}) {
      const init = { method: 'POST', body: JSON.stringify(body) };
      const type = { 'content-type': 'application/json' };
      return read(await fetch(`${base(options)}/${path}/`, { ...init, headers: { ...headers(options), ...type } }));
    },
    raw: (path, init) => fetch(`${running.url}${path}`, { redirect: 'manual', ...init }),
    async control(method, path, body) {
      const init = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(`${running.controlUrl}${path}`, { method, ...init });
      const answer = await response.json();
      if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
      return answer;
    },
    close: () => running.close(),
  };
  if (options.limits !== 'on') await test.control('PATCH', '/settings', { limits: 'off' });
  return test;
}
