import { reads, writes } from '../declared.ts';
import { advertiserIdOf } from '../params.ts';
import { pixelEvents } from '../pixel-events.ts';
import { given, owned } from '../rules.ts';
import { type Call, type Endpoint, type Native, TikTokError } from '../types.ts';

/**
 * Events that a pixel is to recognise by rules: pixel/event/{create,update,delete}; which events instant pages offer.
 * Facts: yml pixel_event_*; pixel/instant_page/event from an independent transcription of the reference.
 */

type Values = Record<string, unknown>;

function create(call: Call): unknown {
  const { world, params } = call;
  const pixel = owned(world.pixels, 'pixel', params['pixel_id'], advertiserIdOf(call));
  const made = (params['pixel_events'] as Values[]).map((event, i) => {
    if (!given(event, 'event_type')) {
      throw new TikTokError(40002, `Missing required field(s): pixel_events.${i}.event_type.`);
    }
    const id = world.nextId();
    return {
      event_id: id,
      event_code: event['event_code'] ?? `${String(pixel['pixel_code'])}${id.slice(-6)}`,
      event_type: event['event_type'],
      optimization_event: event['event_type'],
      custom_event_type: '',
      name: event['event_name'] ?? String(event['event_type']),
      currency: event['currency'] ?? 'USD',
      currency_value: event['currency_value'] ?? '0',
      statistic_type: event['statistic_type'] ?? 'EVERY_TIME',
      deprecated: false,
      rules: event['rules'] ?? [],
    };
  });
  world.pixels.put({ ...pixel, _events: [...pixelEvents(pixel), ...made] });
  return {};
}

/** The pixel of the ad account that has the event, and the event. @throws TikTokError 40007 */
function find(call: Call): { pixel: Native; events: Values[]; index: number } {
  const id = call.params['event_id'];
  for (const pixel of call.world.pixels.by('advertiser', advertiserIdOf(call))) {
    const events = pixelEvents(pixel);
    const index = events.findIndex((event) => event['event_id'] === id);
    if (index >= 0) return { pixel, events, index };
  }
  throw new TikTokError(40007, `The pixel event ${String(id)} does not exist.`);
}

function update(call: Call): unknown {
  const { pixel, events, index } = find(call);
  const { event_name, currency, currency_value } = call.params;
  const changed = {
    ...events[index],
    ...(event_name === undefined ? {} : { name: event_name }),
    ...(currency === undefined ? {} : { currency }),
    ...(currency_value === undefined ? {} : { currency_value }),
  };
  call.world.pixels.put({ ...pixel, _events: events.with(index, changed) });
  return {};
}

function remove(call: Call): unknown {
  const { pixel, events, index } = find(call);
  call.world.pixels.put({ ...pixel, _events: events.toSpliced(index, 1) });
  return {};
}

/** What instant pages offer, by their kind; which events those are is (unverified). */
const INSTANT_PAGES = [
  ['LEAD_GEN', 'LEAD_GENERATION', 'LEAD_GENERATION', ['FORM']],
  ['TIKTOK_INSTANT_PAGE', 'WEB_CONVERSIONS', 'CONVERT', ['FORM', 'BUTTON', 'ON_WEB_DETAIL']],
  ['STORE_FRONT', 'PRODUCT_SALES', 'CONVERT', ['ON_WEB_DETAIL', 'ON_WEB_CART', 'SHOPPING']],
] as const;

function instantPages(call: Call): unknown {
  const { params } = call;
  const list = INSTANT_PAGES.filter(
    ([, objective, goal]) =>
      (!given(params, 'objective_type') || params['objective_type'] === objective) &&
      (!given(params, 'optimization_goal') || params['optimization_goal'] === goal),
  );
  return {
    list: list.map(([business_type, objective_type, optimization_goal, optimization_events]) => ({
      business_type,
      instant_page_events: {
        objective_types: [{ objective_type, optimization_goals: [{ optimization_goal, optimization_events }] }],
      },
    })),
  };
}

/** Events of pixels. */
export const endpoints: Endpoint[] = [
  writes('pixel/event/create', create),
  writes('pixel/event/update', update),
  writes('pixel/event/delete', remove),
  reads('pixel/instant_page/event', instantPages),
];
