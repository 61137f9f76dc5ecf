/** Dry runs: a write goes through all of its steps, and the requests that would change something are shown, not sent. */
import type { WriteRecorder } from '../calls/scope.ts';
import type { Native, Platform, PlatformRequest, PlatformResponse } from '../connector/types.ts';

/** A native request as a dry run shows it. It holds no token. */
export interface NativeRequest {
  method: string;
  url: string;
  query?: Native;
  /** JSON body; for files: the members of the form, with the size of each file instead of its bytes. */
  body?: unknown;
}

/** What a dry run adds to the answer, as `dry_run`. */
export interface DryRunReport {
  /** In the order in which they would be sent. */
  requests: NativeRequest[];
  /** False: the platform's answer to the last of them decides what would follow. */
  complete: boolean;
}

export class DryRun implements WriteRecorder {
  readonly requests: NativeRequest[] = [];

  record(platform: Platform, request: PlatformRequest, url: string): PlatformResponse {
    const query = Object.fromEntries(Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined));
    const body =
      request.multipart === undefined
        ? request.json
        : Object.fromEntries(
            request.multipart.map(({ name, value }) => [
              name,
              typeof value === 'string'
                ? value
                : { filename: value.filename, content_type: value.contentType, bytes: value.data.byteLength },
            ]),
          );
    this.requests.push({
      method: request.method,
      url,
      ...(Object.keys(query).length === 0 ? {} : { query }),
      ...(body === undefined ? {} : { body }),
    });
    return { status: 200, headers: {}, json: platform.dryRunAnswer?.(request) ?? {}, text: '' };
  }

  /**
   * Runs a write with nothing sent. What fails after its first request fails for want of a real answer; what fails before
   * would fail in earnest, and is thrown.
   */
  async run(work: () => Promise<unknown>): Promise<DryRunReport> {
    let complete = true;
    try {
      await work();
    } catch (error) {
      if (this.requests.length === 0) throw error;
      complete = false;
    }
    return { requests: this.requests, complete };
  }
}
