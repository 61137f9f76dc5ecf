/**
 * Codecs: how one native value and one unified value become each other. Each is pure, total on what the platform may
 * send (it never throws while decoding; what it cannot read it leaves out, `raw` still has it), and refuses by name
 * while encoding. Property tests prove decode(encode(x)) = x for every codec.
 */
import { PolyadError } from '../errors/index.ts';

export interface CodecContext {
  /** ISO 4217 currency of the ad account. */
  currency?: string;
  /** IANA time zone of the ad account. */
  timeZone?: string;
  /** Ad account the object belongs to. */
  organizationId?: string;
  /** The whole native row while decoding. */
  row?: Record<string, unknown>;
  /** The whole unified object while encoding. */
  unified?: Record<string, unknown>;
  /** Unified path being encoded, for error messages. */
  field?: string;
}

export interface Codec {
  /** Name in docs and capability map: `money.decimal`. */
  name: string;
  decode(native: unknown, ctx: CodecContext): unknown;
  /** Absent = cannot be written. */
  encode?(unified: unknown, ctx: CodecContext): unknown;
  /** Unified values it can write, for `details.allowed` and docs. */
  allowed?: readonly string[];
}

export function invalid(ctx: CodecContext, reason: string, extra: Record<string, unknown> = {}): PolyadError {
  return new PolyadError('input_value_invalid', {
    message: `\`${ctx.field ?? 'value'}\` ${reason}.`,
    details: { field: ctx.field, reason, ...extra },
  });
}
