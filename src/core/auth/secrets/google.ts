/** What the two clients of Google have in common: REST, short waits, few repetitions. */
import { readFailure } from './failures.ts';

/** Options of every call: longest wait in ms, and none of the client's own repetitions, which go on for a minute. */
export const ONCE = { timeout: 3_000, retry: null };

/** Pauses between repetitions, in ms. */
const PAUSES = [200, 800];

/** Google's REST clients answer bytes, or base64 text. */
export const bytesOf = (value: Uint8Array | string | null | undefined): Buffer =>
  typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.from(value ?? []);

/** Options of Google's clients: REST, and another address where one is set. */
export function restOptions(url: string | undefined) {
  if (url === undefined) return { fallback: true };
  const { protocol, hostname, port } = new URL(url);
  return {
    fallback: true,
    apiEndpoint: hostname,
    port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
    protocol: protocol.slice(0, -1),
  };
}

/** Repeats a call that failed by an outage or a limit. */
export async function repeat<T>(call: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await call();
    } catch (error) {
      if (!['unavailable', 'throttled'].includes(readFailure(error).kind)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return call();
}
