/** Looks an event over for one destination: sent, or withheld, or too old, or refused by name. */
import type { ConversionSource, ConversionSpec } from '../connector/conversion-spec.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Environment, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { AdsConversion } from '../model/conversion.ts';
import type { QueuedEvent } from '../store/repositories/index.ts';
import type { ConversionDestinationRow } from '../store/schema.ts';
import { sourceOf } from './destinations.ts';
import { EventEncoder } from './encode.ts';
import { sha256 } from './normalise.ts';

const DAY_MS = 86_400_000;

/** A destination with what is needed to look events over. */
export interface ReadyDestination {
  row: ConversionDestinationRow;
  platform: Platform;
  spec: ConversionSpec;
  encoder: EventEncoder;
}

/** What is to be done with an event. */
export interface Judged {
  event: QueuedEvent;
  testCode: string | null;
  /** The event in the platform's form, if it is to be sent. */
  native?: Record<string, unknown>;
  /** Why it is not. */
  error?: PolyadError;
}

/** What an event is recognised by at one destination: a digest of its name and id there, in the form of a UUID. */
export function eventKey(name: string, eventId: string): string {
  const digest = sha256(`${name}\u0000${eventId}`);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-${digest.slice(12, 16)}-${digest.slice(16, 20)}-${digest.slice(20, 32)}`;
}

type Consent = { send: true; limited: boolean } | { send: false; reason: string };

/** What the consent lets be done. A limit that cannot be said to the platform is a no. */
function consentOf({ consent }: AdsConversion, required: boolean, canLimit: boolean): Consent {
  if (consent?.ad_user_data === 'DENIED') return { send: false, reason: '`consent.ad_user_data` is DENIED' };
  if (required && consent?.ad_user_data !== 'GRANTED')
    return { send: false, reason: 'the destination wants `consent.ad_user_data` to be GRANTED, and it is not' };
  const limited = consent?.limited_data_use === true || consent?.ad_personalization === 'DENIED';
  if (limited && !canLimit)
    return { send: false, reason: 'its use is limited, and the platform cannot be told so for this source' };
  return { send: true, limited };
}

/** Looks events over. Encoders are made once per platform and source. */
export class Judge {
  readonly #registry: PlatformRegistry;
  readonly #encoders = new Map<string, EventEncoder>();

  constructor(registry: PlatformRegistry) {
    this.#registry = registry;
  }

  /** @throws PolyadError what `sourceOf` throws. */
  ready(row: ConversionDestinationRow): ReadyDestination {
    const platform = this.#registry.get(row.integration_type);
    const { spec } = sourceOf(platform, row.environment as Environment, row.source as ConversionSource);
    return { row, platform, spec, encoder: this.encoder(platform, spec, row.source as ConversionSource) };
  }

  encoder(platform: Platform, spec: ConversionSpec, source: ConversionSource): EventEncoder {
    const { id, name } = platform.manifest;
    let encoder = this.#encoders.get(`${id}/${source}`);
    if (encoder === undefined) {
      encoder = new EventEncoder(name, spec, source);
      this.#encoders.set(`${id}/${source}`, encoder);
    }
    return encoder;
  }

  /** What is to be done with an event at one destination. Does not throw for what is wrong with the event. */
  judge(event: AdsConversion, { row, spec, encoder, platform }: ReadyDestination, now: Date): Judged {
    let name = event.event;
    const occurredAt = new Date(event.occurred_at);
    const testCode = event.test_code ?? null;
    const base = () => ({
      key: eventKey(name, event.event_id),
      event: name,
      eventId: event.event_id,
      occurredAt,
      repeats: 0,
    });
    const not = (state: 'refused' | 'withheld' | 'expired', error: PolyadError): Judged => ({
      event: { ...base(), fate: { state, code: error.code, reason: error.message } },
      testCode,
      error,
    });
    try {
      name = encoder.eventName(event.event);
      if (event.source !== undefined && event.source.toLowerCase() !== row.source)
        throw new PolyadError('input_value_invalid', {
          message: `\`source\` is ${event.source}, but the destination takes events of the source ${row.source.toUpperCase()}.`,
          details: { field: 'source', reason: 'differs from the destination', expected: row.source.toUpperCase() },
        });
      if (event.value !== undefined && event.currency === undefined)
        throw new PolyadError('input_field_required', {
          message: 'A `value` needs its `currency`.',
          details: { missing: ['currency'] },
        });
      if (occurredAt.getTime() > now.getTime() + spec.maxAheadMs)
        throw new PolyadError('input_value_invalid', {
          message: '`occurred_at` lies in the future.',
          details: { field: 'occurred_at', reason: 'lies in the future' },
        });
      const consent = consentOf(
        event,
        row.require_consent,
        spec.sources[row.source as ConversionSource]?.limited !== undefined,
      );
      if (!consent.send)
        return not(
          'withheld',
          new PolyadError('conversion_consent_missing', { message: `The event is withheld: ${consent.reason}.` }),
        );
      if (occurredAt.getTime() < now.getTime() - spec.maxAgeMs) return not('expired', expired(platform, spec));
      const { text, native } = encoder.encode(event, name, consent.limited);
      return { event: { ...base(), line: text }, testCode, native };
    } catch (error) {
      if (error instanceof PolyadError) return not('refused', error);
      throw error;
    }
  }
}

/** Why an event that is too old is not sent. */
export function expired({ manifest }: Platform, { maxAgeMs }: ConversionSpec): PolyadError {
  const days = maxAgeMs / DAY_MS;
  return new PolyadError('conversion_expired', {
    message: `The event is older than ${days} days, so it counts for nothing at ${manifest.name}.`,
    details: { max_age_days: days },
  });
}
