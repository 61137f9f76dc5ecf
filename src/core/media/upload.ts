/**
 * Uploads of large files, piece by piece while they come in: memory holds one piece, whatever the size. A piece whose
 * answer was lost is sent again from where the platform says it is.
 */
import type { Scope } from '../calls/scope.ts';
import type { MediaFile, MediaRange } from '../connector/media-spec.ts';
import type { OperationInput } from '../connector/object-spec.ts';
import type { Unified } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { WriteEntry } from '../idempotency/journal.ts';
import { DryRun, type DryRunReport } from '../objects/dry-run.ts';
import type { Runtime } from '../runtime.ts';

/** How often one piece is sent before the upload is given up. */
const TRIES = 5;
const FIRST_PAUSE_MS = 500;

/** Reads exactly so many bytes at a time from a body that comes as it likes. */
export class Pieces {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer[] = [];
  #size = 0;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#chunks = body[Symbol.asyncIterator]();
  }

  /** The next `length` bytes; fewer only at the end. */
  async take(length: number): Promise<Buffer> {
    while (this.#size < length) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      this.#held.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength));
      this.#size += next.value.byteLength;
    }
    const all = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    const piece = all.subarray(0, length);
    this.#held = piece.length < all.length ? [all.subarray(length)] : [];
    this.#size = all.length - piece.length;
    return piece;
  }
}

export class MediaUploads {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Uploads one file; answers the asset. A dry run reads the file and shows what would be sent.
   *
   * @throws PolyadError `method_unsupported`, `input_too_large`, `input_body_invalid` (the body is not as long as it said),
   *   what the platform answers.
   */
  async upload(
    scope: Scope,
    orgId: string,
    file: MediaFile,
    body: AsyncIterable<Uint8Array>,
    how: { entry: WriteEntry } | { dryRun: DryRun },
  ): Promise<Unified> {
    const { registry, objects } = this.#runtime;
    const platform = registry.get(scope.connection.integration_type);
    const spec = platform.media;
    if (spec === undefined)
      throw new PolyadError('method_unsupported', {
        message: `${platform.manifest.name} takes no uploads in pieces here.`,
      });
    if (file.size > spec.maxBytes) throw new PolyadError('input_too_large', { details: { limit: spec.maxBytes } });
    // Of an upload its end alone makes a file that somebody sees.
    const sentAt = 'entry' in how ? how.entry.sentAt : undefined;
    if (sentAt !== undefined)
      throw new PolyadError('write_outcome_unknown', {
        message: `The answer to the upload of \`${file.name}\` was lost, and whether the file is there is not known.`,
        details: {
          ...{ object: 'asset', name: file.name, organization_id: orgId, sent_at: sentAt.toISOString() },
          check: `${platform.objects.asset?.idempotency?.check ?? 'Look for the file in the ad account.'} If it is not there, upload it under another Idempotency-Key.`,
        },
      });
    const dryRun = 'dryRun' in how ? how.dryRun : undefined;
    const patient = { ...scope, patienceMs: 300_000, ...(dryRun && { recorder: dryRun }) };
    const ctx = this.#runtime.context(patient);
    const input: OperationInput = { ctx, organization: await ctx.organization(orgId), raw: {} };
    const { uploadId, range } = await spec.begin(input, file);
    dryRun?.note(
      `Its answer says how long the first piece is, and that to each piece how long the next; ${range.end} bytes are assumed.`,
    );
    const pieces = new Pieces(body);
    let at: MediaRange = range;
    while (at.start < at.end) {
      if (dryRun !== undefined) scope.signal.throwIfAborted();
      const data = await pieces.take(at.end - at.start);
      if (data.length < at.end - at.start && at.start + data.length < file.size)
        throw new PolyadError('input_body_invalid', {
          message: `The body ended after ${at.start + data.length} bytes; ${file.size} were announced.`,
          details: { received: at.start + data.length, announced: file.size },
        });
      const next = await this.#send(input, spec.piece, uploadId, at.start, data, file.size, scope.signal);
      at = { start: next.start, end: Math.min(next.end, file.size) };
    }
    const last = 'entry' in how ? { ...input, ctx: this.#runtime.context({ ...patient, gate: how.entry }) } : input;
    const row = await spec.finish(last, uploadId, file);
    return 'entry' in how ? objects.adopt(scope, 'asset', input, row) : {};
  }

  /** `upload` with nothing sent: the native requests, each piece with its size and checksum instead of its bytes. */
  async rehearse(
    scope: Scope,
    orgId: string,
    file: MediaFile,
    body: AsyncIterable<Uint8Array>,
  ): Promise<{ dry_run: DryRunReport }> {
    const dryRun = new DryRun();
    return { dry_run: await dryRun.run(() => this.upload(scope, orgId, file, body, { dryRun })) };
  }

  /** Sends one piece until the platform has all of it. */
  async #send(
    input: OperationInput,
    piece: (input: OperationInput, uploadId: string, start: number, data: Uint8Array) => Promise<MediaRange>,
    uploadId: string,
    start: number,
    data: Buffer,
    size: number,
    signal: AbortSignal,
  ): Promise<MediaRange> {
    const end = start + data.length;
    let from = start;
    let lost = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const next = await piece(input, uploadId, from, data.subarray(from - start));
        // A platform that took a part of it wants the rest; one that jumps elsewhere cannot be served from a stream.
        if (next.start >= end || next.start === next.end) return next;
        if (next.start < start)
          throw new PolyadError('platform_unknown_error', {
            message: 'The platform wants bytes again that were accepted before.',
          });
        from = next.start;
      } catch (error) {
        // Refused after an answer was lost: it had arrived, and the platform is further on than we knew.
        if (lost && error instanceof PolyadError && error.code === 'platform_rejected')
          return { start: end, end: Math.min(size, end + data.length) };
        lost ||= error instanceof PolyadError && error.code === 'write_outcome_unknown';
        const again =
          error instanceof PolyadError && (error.retry === 'after' || error.code === 'write_outcome_unknown');
        if (!again || attempt >= TRIES) throw error;
        await this.#runtime.clock.sleep(FIRST_PAUSE_MS * 2 ** attempt, signal);
      }
    }
  }
}
