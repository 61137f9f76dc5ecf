/**
 * A proxy between the app and a simulator, over real HTTP. It hands everything through unchanged except what a test
 * asks for: answers of its own, changed answers, changed paths. So a test can make a platform say what it says rarely.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a platform might answer; the body is sent as it is, or as JSON. */
export interface TapAnswer {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}

export interface Tap {
  url: string;
  /** Answers requests whose path contains `path` itself, instead of the simulator. Counts them. */
  answer(path: string, answer: TapAnswer): { readonly hits: number };
  /** Hands such requests on and answers `answer` instead of what came of them, to every `every`-th one. */
  spoil(path: string, answer: TapAnswer, every?: number): { readonly hits: number };
  /** Changes the JSON that the simulator answers on such paths. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes.
  change(path: string, edit: (json: any) => void): void;
  /** Sends such requests to another path. */
  redirect(from: string, to: string): void;
  /** Keeps the JSON bodies of such requests: simulators do not log what names people. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes.
  watch(path: string): { readonly bodies: any[] };
  /** Everything unchanged again. */
  clear(): void;
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const HOP = new Set(['connection', 'content-length', 'transfer-encoding', 'host', 'keep-alive', 'content-encoding']);

/** Starts a tap in front of `target`. */
export async function startTap(target: string): Promise<Tap> {
  const answers = new Map<string, { answer: TapAnswer; hits: number }>();
  const spoils = new Map<string, { answer: TapAnswer; every: number; seen: number; hits: number }>();
  const edits = new Map<string, (json: unknown) => void>();
  const redirects = new Map<string, string>();
  const watched = new Map<string, { bodies: unknown[] }>();
  const on = <T>(rules: Map<string, T>, url: string): [string, T] | undefined =>
    [...rules].find(([path]) => (url.split('?', 1)[0] as string).includes(path));

  const server = createServer(async (request, response) => {
    const url = request.url ?? '/';
    const body = await bodyOf(request);
    on(watched, url)?.[1].bodies.push(JSON.parse(body.toString('utf8') || 'null'));
    const own = on(answers, url)?.[1];
    if (own !== undefined) {
      own.hits += 1;
      const text = typeof own.answer.body === 'string' ? own.answer.body : JSON.stringify(own.answer.body);
      response.writeHead(own.answer.status ?? 200, { 'content-type': 'application/json', ...own.answer.headers });
      response.end(text);
      return;
    }
    const moved = on(redirects, url);
    const path = moved === undefined ? url : url.replace(moved[0], moved[1]);
    const headers = Object.entries(request.headers).filter(([name]) => !HOP.has(name)) as [string, string][];
    try {
      const answer = await fetch(target + path, {
        method: request.method as string,
        headers,
        redirect: 'manual',
        ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
      });
      const spoil = on(spoils, url)?.[1];
      if (spoil !== undefined && ++spoil.seen % spoil.every === 0) {
        spoil.hits += 1;
        await answer.arrayBuffer();
        response.writeHead(spoil.answer.status ?? 200, { 'content-type': 'text/html', ...spoil.answer.headers });
        response.end(typeof spoil.answer.body === 'string' ? spoil.answer.body : JSON.stringify(spoil.answer.body));
        return;
      }
      const edit = on(edits, url)?.[1];
      let bytes = Buffer.from(await answer.arrayBuffer());
      if (edit !== undefined) {
        const json = JSON.parse(bytes.toString('utf8'));
        edit(json);
        bytes = Buffer.from(JSON.stringify(json));
      }
      response.writeHead(answer.status, Object.fromEntries([...answer.headers].filter(([name]) => !HOP.has(name))));
      response.end(bytes);
    } catch {
      // The simulator broke the connection: so do we.
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer(path, answer) {
      const rule = { answer, hits: 0 };
      answers.set(path, rule);
      return rule;
    },
    spoil(path, answer, every = 1) {
      const rule = { answer, every, seen: 0, hits: 0 };
      spoils.set(path, rule);
      return rule;
    },
    change: (path, edit) => void edits.set(path, edit),
    redirect: (from, to) => void redirects.set(from, to),
    watch(path) {
      const rule = { bodies: [] };
      watched.set(path, rule);
      return rule;
    },
    clear() {
      watched.clear();
      answers.clear();
      spoils.clear();
      edits.clear();
      redirects.clear();
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
