/**
 * Requests to addresses that users give: media to fetch, webhooks to deliver. Every step of a redirect is checked as the
 * first address was, credentials stay with the host they were meant for, and size, time and number of steps have an end.
 * The client must be one whose policy trusts nobody (`new HttpClient(new EgressPolicy({ allow }))`): what the operator
 * chose for platform calls is not for users to reach.
 */
import { PolyadError } from '../errors/index.ts';
import { type HttpClient, transportFault } from './client.ts';

export interface GivenAddressRequest {
  url: string;
  method?: 'GET' | 'HEAD' | 'POST';
  headers?: Record<string, string>;
  body?: string | Buffer;
  signal?: AbortSignal | undefined;
  /** Largest answer in bytes; default 1 MiB. */
  maxBytes?: number;
  /** Longest time for everything together in ms; default 15 s. */
  deadlineMs?: number;
  /** Steps of redirects that are followed; default 3. 0: an answer of 3xx is the answer. */
  maxRedirects?: number;
}

export interface GivenAddressAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** Where the answer came from, after redirects. */
  url: string;
}

const MAX_BYTES = 1_048_576;
const DEADLINE_MS = 15_000;
const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** What may follow to another host: nothing that says who we are or what we know. */
const HARMLESS = new Set(['accept', 'accept-encoding', 'accept-language', 'content-type', 'user-agent']);

/**
 * @throws PolyadError `egress_refused` (an address, or one on the way, is not public; too many steps; too large),
 *   `egress_failed` (no answer in time, or none at all).
 */
export async function fetchGivenAddress(http: HttpClient, request: GivenAddressRequest): Promise<GivenAddressAnswer> {
  const limit = AbortSignal.timeout(request.deadlineMs ?? DEADLINE_MS);
  const signal = request.signal === undefined ? limit : AbortSignal.any([request.signal, limit]);
  let url = parse(request.url);
  let method = request.method ?? 'GET';
  let headers: Record<string, string> = { 'user-agent': 'polyad' };
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value;
  let { body } = request;
  const most = request.maxRedirects ?? MAX_REDIRECTS;
  try {
    for (let step = 0; ; step += 1) {
      const answer = await http.send({
        method,
        url: url.href,
        headers,
        signal,
        ...(body === undefined ? {} : { body }),
      });
      const location = answer.headers['location'];
      if (most === 0 || !REDIRECTS.has(answer.status) || location === undefined) {
        const bytes = await readAll(answer.body, request.maxBytes ?? MAX_BYTES);
        return { status: answer.status, headers: answer.headers, body: bytes, url: url.href };
      }
      // Its end before its time is an error event, which nobody else waits for.
      answer.body.once('error', () => undefined).destroy();
      if (step >= most) throw refused(`it redirects more than ${most} times`, url);
      const next = URL.parse(location, url.href);
      if (next === null) throw refused('it redirects to something that is no address', url);
      if (next.origin !== url.origin && body !== undefined && answer.status >= 307)
        throw refused('it redirects what was sent to another host', url);
      if (next.origin !== url.origin)
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS.has(name)));
      if (answer.status < 307 && method !== 'HEAD') {
        method = 'GET';
        body = undefined;
        delete headers['content-type'];
      }
      url = next;
    }
  } catch (thrown) {
    request.signal?.throwIfAborted();
    if (thrown instanceof PolyadError) throw thrown;
    const { text } = transportFault(thrown, limit);
    throw new PolyadError('egress_failed', {
      message: `\`${url.host.slice(0, 200)}\` did not answer (${limit.aborted ? 'it took too long' : text}).`,
      details: { host: url.host.slice(0, 200) },
    });
  }
}

function parse(text: string): URL {
  const url = text.length > 8192 ? null : URL.parse(text);
  if (url === null) throw new PolyadError('egress_refused', { message: 'This is not an address.' });
  return url;
}

const refused = (reason: string, url: URL): PolyadError =>
  new PolyadError('egress_refused', {
    message: `\`${url.host.slice(0, 200)}\` is not fetched: ${reason}.`,
    details: { host: url.host.slice(0, 200), reason },
  });

async function readAll(body: AsyncIterable<unknown> & { destroy(): void }, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > limit) {
      body.destroy();
      throw new PolyadError('egress_refused', {
        message: `The answer is larger than ${limit} bytes.`,
        details: { limit, reason: 'it is too large' },
      });
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
