/** Operations on conversion events, as data; `conversions.ts` carries them out. */
import { z } from 'zod';
import { adsConversion, CONVERSION_STATES, conversionAnswer, conversionFate } from '../../core/model/conversion.ts';
import type { ParameterDoc } from '../../core/model/json-schema.ts';
import type { KeptState } from '../../core/store/repositories/index.ts';
import { flagOf, instantOf, limitOf, manyOf, offsetOf } from '../input.ts';
import { type Operation, operation } from '../operation.ts';

/** Most events, and destinations, of one call. */
const MAX_EVENTS = 1_000;
const MAX_DESTINATIONS = 20;
const KEPT = CONVERSION_STATES.filter((state): state is KeptState => state !== 'DUPLICATE');
const id = z.string().min(1).max(64);
const tag = 'Conversions';

const filters = {
  state: z
    .enum(KEPT as [KeptState, ...KeptState[]])
    .optional()
    .describe('Events in this state.'),
  event: z.string().optional().describe('Events of this name, as it is at the platform.'),
  event_id: z.string().optional().describe('Events with this id of yours.'),
  reason_code: z.string().optional().describe('Events with this reason.'),
  created_gte: instantOf('Events that came in at or after this instant.'),
  created_lt: instantOf('Events that came in before it.'),
};
const destinationIds = manyOf('Ids of destinations, repeated or joined by commas. Default: all.');
const DRY_RUN: ParameterDoc = {
  name: 'dry_run',
  in: 'query',
  required: false,
  description:
    'true: everything is checked and hashed, and the answer shows the native requests; nothing is kept or sent.',
  schema: { type: 'boolean', default: false },
};

const ids = z.array(id).min(1).max(MAX_DESTINATIONS);
const events = z.array(z.unknown()).min(1).max(MAX_EVENTS);
const testCode = z.string().min(1).max(64).optional().describe('For all events that name none of their own.');
/** Several events for one destination. */
export const envelope = z.strictObject({ events, destination_id: id.optional(), test_code: testCode });
/** Several events for several destinations. */
export const fanOut = z.strictObject({ events, destination_ids: ids, test_code: testCode });
const listed = z.array(adsConversion).min(1).max(MAX_EVENTS);

const taken = {
  description: 'Taken in: what is WAITING is committed and will be sent. A dry run answers 200.',
  schema: conversionAnswer,
  status: 202,
} as const;

/** The operations, by what they do. */
export const operations = {
  send: operation({
    tag,
    access: 'write',
    audit: 'never',
    logged: true,
    id: 'createAdsConversion',
    method: 'POST',
    path: '/ads/:connection_id/conversion',
    summary: 'Send conversion events through a connection',
    description: `One event as the body, or up to ${MAX_EVENTS} as \`events\`. Each is checked, normalised and hashed as the platform wants it, and committed before this answers; it is sent in a batch soon after, once, whatever happens in between. Which of several destinations: \`destination_id\`, in the query or beside \`events\`. One malformed event refuses the call; events that only the platform's rules refuse have their fate in \`results\` (a single one is an error).`,
    params: { connection_id: 'Id of the connection.' },
    parameters: [
      DRY_RUN,
      {
        name: 'destination_id',
        in: 'query',
        required: false,
        description: 'Needed where the connection has several destinations.',
        schema: { type: 'string' },
      },
    ],
    bodySchema: z.union([adsConversion, envelope.extend({ events: listed })]),
    answer: taken,
  }),
  list: operation({
    tag,
    access: 'read',
    logged: true,
    id: 'listAdsConversions',
    method: 'GET',
    path: '/ads/:connection_id/conversion',
    summary: 'What became of conversion events of a connection',
    params: { connection_id: 'Id of the connection.' },
    query: z.object({ destination_id: destinationIds, ...filters, limit: limitOf, offset: offsetOf }),
    answer: { description: 'Newest first.', schema: z.array(conversionFate) },
  }),
  get: operation({
    tag,
    access: 'read',
    logged: true,
    id: 'getAdsConversion',
    method: 'GET',
    path: '/ads/:connection_id/conversion/:id',
    summary: 'What became of one conversion event',
    params: { connection_id: 'Id of the connection.', id: 'Id of the event here.' },
    query: z.object({}),
    answer: { description: 'Its fate.', schema: conversionFate },
  }),
  fan: operation({
    tag,
    access: 'write',
    audit: 'never',
    logged: true,
    id: 'createConversions',
    method: 'POST',
    path: '/v1/conversions',
    summary: 'Send conversion events to several destinations',
    description: `Up to ${MAX_EVENTS} events to up to ${MAX_DESTINATIONS} destinations, of any platforms, in one transaction. Each destination has its own result for each event.`,
    parameters: [DRY_RUN],
    bodySchema: fanOut.extend({ events: listed }),
    answer: taken,
  }),
  all: operation({
    tag,
    access: 'read',
    id: 'listConversions',
    method: 'GET',
    path: '/v1/conversions',
    summary: 'What became of conversion events',
    query: z.object({ destination_id: destinationIds, ...filters, limit: limitOf, offset: offsetOf }),
    answer: { description: 'Newest first.', schema: z.array(conversionFate) },
  }),
  export: operation({
    tag,
    access: 'read',
    id: 'exportConversions',
    method: 'GET',
    path: '/v1/conversions/export',
    summary: 'Export what became of conversion events',
    description: 'Every event, oldest first by destination, streamed. Holds no personal data.',
    query: z.object({
      destination_id: destinationIds,
      ...filters,
      format: z.enum(['ndjson', 'csv']).optional().describe('Default ndjson.'),
    }),
    answer: { description: 'One event per line.', contentType: 'application/x-ndjson', alternatives: ['text/csv'] },
  }),
  replay: operation({
    tag,
    access: 'write',
    id: 'replayConversions',
    method: 'POST',
    path: '/v1/conversions/replay',
    summary: 'Send refused conversion events again',
    description:
      'Those of one destination that match, as they were: after what refused them was put right. Their content is kept for some days only; the answer says of how many it is gone. An event that is corrected is sent as new, under the same event id.',
    query: z.object({ dry_run: flagOf('true: the events are counted; none is sent again.') }),
    body: z.strictObject({
      destination_id: id,
      ids: z
        .array(z.string().regex(/^\d{1,19}$/))
        .min(1)
        .max(10_000)
        .optional()
        .describe('Ids of events here. Default: all that match.'),
      event: z.string().optional(),
      reason_code: z.string().optional(),
    }),
    answer: {
      description: 'How many wait again, and of how many the content is gone.',
      schema: z
        .object({ replayed: z.number().int(), content_gone: z.number().int(), dry_run: z.literal(true).optional() })
        .meta({ id: 'ConversionReplay', description: 'Events that are sent again.' }),
    },
  }),
};

/** Operations on conversion events. */
export const CONVERSION_OPERATIONS: readonly Operation[] = Object.values(operations);
