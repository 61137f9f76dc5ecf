/**
 * Conversion events under load: producers that send until they are answered, servers that are killed under them, a platform
 * that fails now and then, and at the end the count: each event accepted exactly once. The test runs it small, the
 * benchmark large.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { ownDatabase } from '../../bench/support/database.ts';
import { cpuSeconds, memoryMb } from '../../bench/support/machine.ts';
import { cleanEnv, ownDirectory, type Running, startServer } from '../../bench/support/processes.ts';
import { operatorKey } from '../../bench/support/tenants.ts';
import type { Json } from '../support/app.ts';

export interface LoadOptions {
  events: number;
  producers: number;
  /** Events per call. */
  perCall: number;
  /** On Postgres, where POLYAD_TEST_DATABASE_URL names one, else on the embedded database with one server. */
  servers: number;
  embedded?: boolean;
  /** So many times a server is killed (SIGKILL), spread evenly over the events. */
  kills: number;
  /** Faults of the platform as the simulator's control API takes them. */
  faults: readonly Json[];
  /** One event of so many is one that the platform refuses. */
  poisonEvery: number;
  /** One call of so many is made again although it was answered. */
  repeatEvery: number;
  /** Told of how far it is, now and then. */
  progress?(text: string): void;
}

export interface LoadReport {
  engine: 'postgres' | 'embedded';
  /** Until the last event was answered with 202, and until the last one had its fate, in seconds. */
  takenSeconds: number;
  totalSeconds: number;
  kills: number;
  /** Calls that were not answered with 202 at first. */
  failedCalls: number;
  /** Answered as duplicates. */
  duplicates: number;
  /** By the simulator: event ids that it counted, repetitions that it did not, requests. */
  platform: { accepted: number; duplicates: number; missing: number; foreign: number };
  /** By us. */
  fates: { accepted: number; refused: number; waiting: number; withheld: number; expired: number };
  poison: number;
  /** Most resident memory of any server, in MB, and CPU seconds of all. */
  serverMb: number;
  cpu: { servers: number; simulator: number; producers: number };
  /** Times to an answer, in ms, sorted. */
  answerMs: number[];
}

/** The simulator's process. */
async function startSimulator(): Promise<{ child: ChildProcess; url: string; controlUrl: string; ready: Json }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./simulator-process.ts', import.meta.url))], {
    env: cleanEnv({}),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  for await (const piece of child.stdout as NonNullable<typeof child.stdout>) {
    out += String(piece);
    if (out.includes('\n')) break;
  }
  return { child, ...JSON.parse(out) };
}

const POISON = { raw: { properties: { value: 'a lot' } } };

/** Event `index` as a shop would send it. */
function eventOf(index: number, at: string, poisonEvery: number): Json {
  return {
    event: 'PURCHASE',
    event_id: `order-${index}`,
    occurred_at: at,
    user: {
      email: `customer.${index}@example.com`,
      phone: `+1213${String(index).padStart(7, '0')}`,
      external_id: `user_${index}`,
      click_ids: { ttclid: `E.C.P.${index}v3fQ2RHDSjiGZOE9Gz` },
      ip_address: `203.0.113.${index % 256}`,
      user_agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15',
    },
    page: { url: `https://shop.example/thanks?order=${index}` },
    ...(index % poisonEvery === poisonEvery - 1
      ? POISON
      : {
          value: `${index % 500}.90`,
          currency: 'EUR',
          contents: [{ id: `sku-${index % 97}`, price: '9.90', quantity: 2 }],
        }),
  };
}

export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { events, producers, perCall, poisonEvery, repeatEvery, progress = () => {} } = options;
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const directory = await ownDirectory();
    undo.push(() => directory.remove());
    const database = options.embedded === true ? undefined : await ownDatabase('conversions');
    if (database !== undefined) undo.push(() => database.drop());
    const simulator = await startSimulator();
    undo.push(async () => {
      simulator.child.kill();
      await once(simulator.child, 'close');
    });
    const control = async (method: string, path: string, body?: unknown): Promise<Json> =>
      (
        await fetch(simulator.controlUrl + path, {
          method,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        })
      ).json();
    const env: Record<string, string> = {
      ...directory.env,
      ...(database === undefined ? {} : { DATABASE_URL: database.url }),
      POLYAD_TIKTOK_SIMULATOR_URL: simulator.url,
      POLYAD_RATE_LIMIT_PER_MINUTE: '100000000',
      POLYAD_LOG_LEVEL: 'error',
      POLYAD_DRAIN_SECONDS: '0',
    };
    const key = await operatorKey(env);
    const started = await Promise.all(
      Array.from({ length: database === undefined ? 1 : options.servers }, () => startServer(env)),
    );
    const servers: Running[] = started;
    undo.push(() => Promise.all(servers.map((server) => server.end())));
    const agent = new Agent({ connections: producers });
    undo.push(() => agent.close());
    const call = async (
      url: string,
      method: 'GET' | 'POST',
      body?: string,
    ): Promise<{ status: number; body: Json }> => {
      const headers = { authorization: key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      const answer = await request(url, {
        method,
        headers,
        dispatcher: agent,
        ...(body === undefined ? {} : { body }),
      });
      return { status: answer.statusCode, body: await answer.body.json() };
    };
    const sourceId = simulator.ready.event_source_ids.web as string;
    const [first] = servers as [Running];
    const destination = await call(
      `${first.url}/v1/conversion_destinations`,
      'POST',
      JSON.stringify({
        ...{ integration_type: 'tiktokads', environment: 'simulator', source: 'WEB', source_id: sourceId },
        credential: { kind: 'events_token', token: simulator.ready.events_access_token },
      }),
    );
    if (destination.status !== 200) throw new Error(JSON.stringify(destination.body));
    for (const fault of options.faults) await control('POST', '/faults', fault);

    // ------------------------------------------------------------------------------------------------ the run
    let kills = 0;
    let failedCalls = 0;
    let duplicates = 0;
    let serverMb = 0;
    let serversCpu = 0;
    let next = 0;
    let taken = 0;
    let over = false;
    const answerMs: number[] = [];
    const began = performance.now();
    const at = new Date().toISOString();
    const watch = (server: Running): void => {
      try {
        serverMb = Math.max(serverMb, memoryMb(server.pid).peak);
      } catch {
        // It has just been killed.
      }
    };
    const producer = async (number: number): Promise<void> => {
      for (let calls = 1; next < events; calls += 1) {
        const from = next;
        next = Math.min(events, from + perCall);
        const body = JSON.stringify({
          destination_ids: [destination.body.id],
          events: Array.from({ length: next - from }, (_, index) => eventOf(from + index, at, poisonEvery)),
        });
        for (let again = calls % repeatEvery === 0 ? 2 : 1, tries = 0; again > 0; tries += 1) {
          const server = servers[(number + calls + tries) % servers.length] as Running;
          const sent = performance.now();
          const answer = await call(`${server.url}/v1/conversions`, 'POST', body).catch(() => undefined);
          if (answer?.status !== 202) {
            failedCalls += 1;
            if (answer !== undefined && answer.status < 500) throw new Error(JSON.stringify(answer.body).slice(0, 500));
            await sleep(100);
            continue;
          }
          answerMs.push(performance.now() - sent);
          duplicates += answer.body.summary.duplicate;
          again -= 1;
        }
        taken = Math.max(taken, next);
      }
    };
    const killer = async (): Promise<void> => {
      for (let turn = 0; turn < options.kills; turn += 1) {
        while (!over && taken < (events * (turn + 1)) / (options.kills + 1)) await sleep(20);
        const place = turn % servers.length;
        const victim = servers[place] as Running;
        watch(victim);
        serversCpu += cpuSeconds(victim.pid);
        await victim.end('SIGKILL');
        kills += 1;
        servers[place] = await startServer({ ...env, POLYAD_PORT: new URL(victim.url).port });
      }
    };
    const reporter = setInterval(() => {
      for (const server of servers) watch(server);
      const seconds = (performance.now() - began) / 1000;
      progress(`${taken} taken after ${seconds.toFixed(0)} s (${(taken / seconds).toFixed(0)}/s), ${kills} kills`);
    }, 5_000);
    undo.push(async () => clearInterval(reporter));
    const killing = killer();
    await Promise.all(Array.from({ length: producers }, (_, number) => producer(number)));
    const takenSeconds = (performance.now() - began) / 1000;
    over = true;
    await killing;
    await control('POST', '/faults/clear');
    const [left] = servers as [Running];
    let fates: LoadReport['fates'];
    for (;;) {
      fates = (await call(`${left.url}/v1/conversion_destinations/${destination.body.id}`, 'GET')).body.events;
      if (fates.waiting === 0) break;
      await sleep(200);
    }
    const totalSeconds = (performance.now() - began) / 1000;

    // ------------------------------------------------------------------------------------------------ the count
    const wanted = (index: number): boolean => index % poisonEvery !== poisonEvery - 1;
    const seen = new Uint8Array(events);
    let foreign = 0;
    for (let offset: number | null = 0; offset !== null; ) {
      const page: Json = await control(
        'GET',
        `/events/accepted?event_source_id=${sourceId}&event=Purchase&offset=${offset}&limit=50000`,
      );
      for (const id of page.ids.Purchase ?? []) {
        const index = Number(String(id).replace('order-', ''));
        if (Number.isInteger(index) && index < events && wanted(index) && seen[index] === 0) seen[index] = 1;
        else foreign += 1;
      }
      offset = page.next;
    }
    let missing = 0;
    let poison = 0;
    for (let index = 0; index < events; index += 1)
      if (!wanted(index)) poison += 1;
      else if (seen[index] === 0) missing += 1;
    const received = await control('GET', `/events/sources/${sourceId}`);
    for (const server of servers) {
      watch(server);
      serversCpu += cpuSeconds(server.pid);
    }
    return {
      engine: database === undefined ? 'embedded' : 'postgres',
      ...{ takenSeconds, totalSeconds, kills, failedCalls, duplicates, fates, poison, serverMb },
      platform: { accepted: received.accepted, duplicates: received.duplicates, missing, foreign },
      cpu: {
        servers: serversCpu,
        simulator: cpuSeconds(simulator.child.pid as number),
        producers: process.cpuUsage().user / 1e6,
      },
      answerMs: answerMs.sort((left, right) => left - right),
    };
  } finally {
    for (const step of undo.reverse()) await step().catch(() => undefined);
  }
}
