/** Dry runs: a write goes through all of its steps, and the requests that would change something are shown, not sent. */
import { createHash } from 'node:crypto';
import type { WriteRecorder } from '../calls/scope.ts';
import { setPath } from '../connector/fields.ts';
import type { FormPart, Native, Platform, PlatformRequest, PlatformResponse } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { HIDDEN, redact } from '../http/redact.ts';

/** A native request as a dry run shows it. It holds no token. */
export interface NativeRequest {
  method: string;
  url: string;
  query?: Native;
  /** Of pass-through: the headers that go on. */
  headers?: Native;
  /** JSON body; for files: the members of the form, with what is known of each file instead of its bytes. */
  body?: unknown;
  /** What a reader would not see from the request. */
  note?: string;
}

/** What a dry run adds to the answer, as `dry_run`. */
export interface DryRunReport {
  /** In the order in which they would be sent. `<… from …>` stands for what an earlier one of them would be answered. */
  requests: NativeRequest[];
  /** False: the platform's answer to the last of them decides what would follow. */
  complete: boolean;
  /** Where it is not complete: what could not be gone through without that answer. */
  stopped?: { code: string; message: string };
}

/** A file as it is shown: size in bytes, SHA-256 in hexadecimal digits. */
export const shownFile = (contentType: string, bytes: number, sha256: string, filename?: string): Native => ({
  ...(filename === undefined ? {} : { filename }),
  ...{ content_type: contentType, bytes, sha256 },
});

/** Longest JSON body, in bytes, that is shown as it is. */
const SHOWN_BYTES = 128 * 1024;

/** A body that goes through: JSON as it is where it is short, others by size and checksum. Memory holds a short body at most. */
export async function shownStream(contentType: string, body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const hash = createHash('sha256');
  const kept: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    if (bytes <= SHOWN_BYTES) kept.push(chunk);
  }
  if (bytes === 0) return undefined;
  if (bytes <= SHOWN_BYTES && contentType.includes('json'))
    try {
      return redact(JSON.parse(Buffer.concat(kept).toString('utf8')));
    } catch {}
  return shownFile(contentType, bytes, hash.digest('hex'));
}

const shownPart = ({ value }: FormPart): unknown =>
  typeof value === 'string'
    ? value
    : shownFile(
        value.contentType,
        value.data.byteLength,
        createHash('sha256').update(value.data).digest('hex'),
        value.filename,
      );

function shownBody({ multipart, json, jsonText, jsonSecrets }: PlatformRequest): unknown {
  if (multipart !== undefined) return Object.fromEntries(multipart.map((part) => [part.name, shownPart(part)]));
  const body: unknown = jsonText === undefined ? json : JSON.parse(jsonText);
  if (jsonSecrets === undefined) return body;
  const shown = structuredClone(body ?? {}) as Native;
  for (const path of Object.keys(jsonSecrets)) setPath(shown, path, HIDDEN);
  return shown;
}

/** What went wrong with the body of the call itself: no answer of the platform would mend it. */
const OF_THE_CALL: ReadonlySet<string> = new Set(['input_body_invalid', 'input_too_large']);

export class DryRun implements WriteRecorder {
  readonly requests: NativeRequest[] = [];

  record(platform: Platform, request: PlatformRequest, url: string): PlatformResponse {
    const query = Object.fromEntries(Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined));
    for (const name of Object.keys(request.appParams ?? {})) query[name] = HIDDEN;
    const body = shownBody(request);
    this.requests.push({
      method: request.method,
      url,
      ...(Object.keys(query).length === 0 ? {} : { query }),
      ...(body === undefined ? {} : { body }),
    });
    return { status: 200, headers: {}, json: platform.dryRunAnswer?.(request) ?? {}, text: '' };
  }

  /** Says something of the request that was recorded last. */
  note(text: string): void {
    const last = this.requests.at(-1);
    if (last !== undefined) last.note = text;
  }

  /**
   * Runs a write with nothing sent. What fails after its first request fails for want of a real answer; what fails before
   * would fail in earnest, and is thrown, as is what is wrong with the body of the call whenever that shows.
   */
  async run(work: () => Promise<unknown>): Promise<DryRunReport> {
    try {
      await work();
      return { requests: this.requests, complete: true };
    } catch (error) {
      const known = error instanceof PolyadError;
      if (this.requests.length === 0 || (known && OF_THE_CALL.has(error.code))) throw error;
      if (!known) return { requests: this.requests, complete: false };
      const { code, message } = error;
      return { requests: this.requests, complete: false, stopped: { code, message } };
    }
  }
}
