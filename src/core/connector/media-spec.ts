/** Files too large for one request: the platform takes them piece by piece. */
import type { OperationInput } from './object-spec.ts';
import type { Native } from './types.ts';

/** What is uploaded. */
export interface MediaFile {
  type: 'IMAGE' | 'VIDEO';
  name: string;
  /** Bytes. */
  size: number;
  contentType: string;
}

/** The piece that the platform wants next; `start === end` = it has everything. */
export interface MediaRange {
  start: number;
  end: number;
}

export interface MediaSpec {
  /** Largest file in bytes. */
  maxBytes: number;
  begin(input: OperationInput, file: MediaFile): Promise<{ uploadId: string; range: MediaRange }>;
  /**
   * Sends bytes `start` to `start + data.length`. Not idempotent for the pipeline: a lost answer must come out as
   * `write_outcome_unknown`, since platforms answer a repeated piece with the next range, or refuse it as one too many.
   */
  piece(input: OperationInput, uploadId: string, start: number, data: Uint8Array): Promise<MediaRange>;
  /** Answers the native row of the asset. */
  finish(input: OperationInput, uploadId: string, file: MediaFile): Promise<Native>;
}
