/** The TikTok simulator: stands in for TikTok API for Business v1.3, its authorize pages and its sandbox host. */
import { createClock } from '../kit/clock.ts';
import { kitRoutes } from '../kit/control.ts';
import { createFaults } from '../kit/faults.ts';
import { createRequestLog } from '../kit/request-log.ts';
import { createSimulatorServer, type VoicedFault } from '../kit/server.ts';
import { openStore } from '../kit/store.ts';
import type { RunningSimulator, Simulator, SimulatorOptions } from '../kit/types.ts';
import { createConsent } from './consent-page.ts';
import { createTikTokControl } from './control.ts';
import { eventRoutes } from './control-events.ts';
import { objectRoutes } from './control-objects.ts';
import { webhookRoutes } from './control-webhooks.ts';
import { createDispatcher, envelope } from './dispatch.ts';
import { endpoints, pages } from './endpoints/index.ts';
import { EVENTS_MANAGER } from './events-page.ts';
import { createLimits, RATE_LIMITED } from './limits.ts';
import { readyInfo, seedBase } from './seed.ts';
import { splitTestRoutes } from './split-tests.ts';
import { createWebhooks } from './webhooks.ts';
import { createWorld } from './world.ts';

const ID = 'tiktok';

/** Members that must not be in the request log: the digest tells two of them apart. */
const SECRETS = [
  'secret',
  'client_secret',
  'access_token',
  'access-token',
  'refresh_token',
  'auth_code',
  'original_post_auth_code',
  'code',
];

/** Bodies full of identifiers of persons, hashed if the caller did it right: the log keeps their size. */
const PERSONAL = /\/(event|pixel|app|offline)\/(track|batch)\/$|\/segment\/mapping\/$/;

/** What the fault switches answer in TikTok's own voice: HTTP 200, the code in the envelope. */
const VOICES: Record<VoicedFault, { code: number; message: string }> = {
  rate_limited: RATE_LIMITED,
  server_error: { code: 50000, message: 'System error.' },
  revoked: { code: 40105, message: 'Access token is incorrect or has been revoked.' },
};

async function start(options: SimulatorOptions): Promise<RunningSimulator> {
  const host = options.host ?? '127.0.0.1';
  const say = options.log ?? ((line: string) => process.stderr.write(`tiktok simulator: ${line}\n`));

  const clock = createClock({ onChange: (state) => clockState.put({ id: 'clock', ...state }) });
  const store = openStore({
    now: () => clock.now().getTime(),
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
  });
  const clockState = store.collection<{ id: string; offset: number; frozenAt: number | null }>('clock');
  const kept = clockState.get('clock');
  if (kept) clock.restore(kept);

  const world = createWorld(store, clock);
  const faults = createFaults();
  const log = createRequestLog();
  const limits = createLimits(clock);
  // The seed's last row is the mark: a start that was killed in the middle begins again.
  const seeded = store.collection<{ id: string; at: string }>('seeded');
  const seed = () => {
    // Nothing was acknowledged before the mark, so what a killed first start left behind can go.
    store.clear();
    seedBase(world);
    seeded.put({ id: 'base', at: clock.now().toISOString() });
  };
  if (!seeded.get('base')) seed();

  const dispatch = createDispatcher({ store, world, limits, endpoints, report: say });
  const consent = createConsent(world);
  const webhooks = createWebhooks(world);
  const tiktok = createTikTokControl({
    world,
    limits,
    reset() {
      limits.clear();
      seed();
    },
  });
  const server = createSimulatorServer({
    clock,
    faults,
    log,
    control: [
      ...kitRoutes({ id: ID, clock, faults, log, ...tiktok.parts }),
      ...tiktok.routes,
      ...objectRoutes(world),
      ...eventRoutes(world),
      ...webhookRoutes(world, webhooks),
      ...splitTestRoutes(world),
    ],
    async handle(request) {
      const authorize = consent(request);
      if (authorize) return authorize;
      for (const page of pages) {
        const answer = await page(request, world);
        if (answer) return answer;
      }
      return dispatch(request);
    },
    voice: (fault) => envelope(clock.now(), VOICES[fault].code, VOICES[fault].message, {}),
    tokenOf: (request) => request.headers['access-token'],
    secretNames: SECRETS,
    hidesBody: (request) => request.form === undefined && PERSONAL.test(request.path),
    report: say,
  });

  try {
    await server.listen({ port: options.port, host });
  } catch (error) {
    // The folder must be free for the next try.
    store.close();
    throw error;
  }
  webhooks.start(() => world.settings.webhook_delivery === 'auto');
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('the simulator has no TCP address');
  // A wildcard is an address to listen on, not one to call.
  const callable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const url = `http://${callable.includes(':') ? `[${callable}]` : callable}:${address.port}`;
  return {
    id: ID,
    url,
    controlUrl: `${url}/_control`,
    ready: {
      ...readyInfo(),
      sandbox_url: `${url}/sandbox`,
      authorize_url: `${url}/portal/auth`,
      events_manager_url: `${url}${EVENTS_MANAGER}`,
    },
    clock,
    async close() {
      await server.close();
      await webhooks.stop();
      store.close();
    },
  };
}

/** The TikTok simulator. */
export const simulator: Simulator = { id: ID, name: 'TikTok API for Business', start };
