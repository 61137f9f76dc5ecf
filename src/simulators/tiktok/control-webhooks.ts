/** Control routes for what people and TikTok do outside the API: leads, comments, reviews, fatigue, incidents, webhooks. */
import { bad, type ControlCall, type ControlRoute, found, oneOf, reader } from '../kit/control.ts';
import type { Courier } from '../kit/courier.ts';
import { addComment } from './comments.ts';
import { fatigueOf } from './fatigue.ts';
import { LEAD_SOURCES, leadMeta, makeLead } from './leads.ts';
import { rulesOf, runRule } from './optimizer-rules.ts';
import { stamp } from './stamp.ts';
import type { Native, World } from './types.ts';
import {
  grantLives,
  OBJECT_NUMBERS,
  type SubscribeEntity,
  subscribers,
  subscriptionsOf,
  tell,
  tellAccount,
  tellLead,
} from './webhooks.ts';

const ENTITIES = Object.keys(OBJECT_NUMBERS) as SubscribeEntity[];
const MOST_LEADS = 10_000;

const number = (id: unknown): unknown => (typeof id === 'string' && /^\d{1,19}$/.test(id) ? BigInt(id) : id);

/**
 * - `POST /leads` `{ page_id | ad_id, count?, lead_source?, values? }`: people fill in a form; subscribers of LEAD hear.
 * - `POST /ads/:id/reject` `{ reason? }`, `POST /ads/:id/approve`: the review decides; subscribers of AD and AD_GROUP hear.
 * - `POST /creative_fatigue` `{ ad_id, fatigue_index? }`: an ad is seen too often; subscribers of CREATIVE_FATIGUE hear.
 * - `POST /report_data_change` `{ advertiser_id, data_level?, metrics }`, `POST /incidents` `{ product, … }`.
 * - `POST /webhooks/fire` `{ subscribe_entity, entry }`: any entry to all subscribers of an entity.
 * - `POST /account_webhooks/fire` `{ app_id, event, user_openid, content }`.
 * - `POST /comments` `{ ad_id, content, user_name? }`; `POST /optimizer_rules/:id/run`: a rule does what it says.
 * - `GET /webhooks`: subscriptions and what is on its way; `POST /webhooks/deliver`: deliver what is due now and wait;
 *   `POST /webhooks/again` `{ id }`: deliver one more time.
 */
export function webhookRoutes(world: World, courier: Courier): ControlRoute[] {
  const route = (
    method: ControlRoute['method'],
    path: string,
    summary: string,
    handle: ControlRoute['handle'],
  ): ControlRoute => ({ method, path, summary, handle });

  const leads = ({ body }: ControlCall) => {
    const read = reader(body);
    const adId = read.text('ad_id');
    const ad = adId === undefined ? undefined : found(world.ads.get(adId), `ad ${adId}`);
    const ownForm = ad && world.pages.by('advertiser', ad.advertiser_id)[0];
    const pageId = read.text('page_id') ?? String(ad?.['page_id'] || ownForm?.id || '');
    const form = found(world.pages.get(pageId), `form ${pageId}`);
    const count = read.number('count') ?? 1;
    if (!Number.isInteger(count) || count < 1 || count > MOST_LEADS) bad(`count must be from 1 to ${MOST_LEADS}`);
    const values = body['values'];
    if (values !== undefined && (typeof values !== 'object' || values === null)) bad('values must be an object');
    const made = Array.from({ length: count }, () => {
      const lead = makeLead(world, form, {
        lead_source: oneOf('lead_source', read.text('lead_source'), LEAD_SOURCES, 'INSTANT_FORM'),
        ...(ad ? { ad } : {}),
        ...(values ? { values: values as Record<string, string> } : {}),
      });
      tellLead(world, lead);
      return lead;
    });
    return { leads: made.map((lead) => ({ lead_data: lead.values, meta_data: leadMeta(world, lead) })) };
  };

  const ad = ({ params }: ControlCall): Native => found(world.ads.get(params['id']!), `ad ${params['id']}`);
  const decide = (call: ControlCall, rejected: boolean) => {
    const { _reject_reason: _, ...row } = ad(call);
    const reason = reader(call.body).text('reason');
    // The review is over now.
    const review = stamp(new Date(world.clock.now().getTime() - world.settings.review_delay_ms));
    const decided: Native = {
      ...(row as Native),
      _review_from: review,
      _decided: { review, rejected },
      ...(rejected && reason !== undefined ? { _reject_reason: reason } : {}),
    };
    world.ads.put(decided);
    return { ad_id: decided.id, rejected };
  };

  const fatigue = ({ body }: ControlCall) => {
    const read = reader(body);
    const id = read.need('ad_id');
    const row = found(world.ads.get(id), `ad ${id}`);
    const date = stamp(world.clock.now()).slice(0, 10);
    fatigueOf(world).put({
      id: `${row.id}:${date}`,
      ad_id: row.id,
      advertiser_id: row.advertiser_id,
      date,
      fatigue_index: read.number('fatigue_index') ?? 80,
    });
    const hit = subscribers(world, 'CREATIVE_FATIGUE', (detail) =>
      (
        [
          ['ad_id', row.id],
          ['adgroup_id', row['adgroup_id']],
          ['advertiser_id', row.advertiser_id],
        ] as const
      ).every(([name, value]) => detail[name] === undefined || detail[name] === value),
    );
    for (const subscription of hit) {
      tell(world, subscription, {
        adv_id: number(row.advertiser_id),
        adgroup_ids: [number(row['adgroup_id'])],
        ad_ids: [number(row.id)],
        date,
      });
    }
    return { told: hit.length };
  };

  const reportChange = ({ body }: ControlCall) => {
    const read = reader(body);
    const account = read.need('advertiser_id');
    found(world.advertisers.get(account), `advertiser ${account}`);
    const metrics = body['metrics'];
    if (typeof metrics !== 'object' || metrics === null) bad('metrics must be an object');
    const hit = subscribers(world, 'REPORT_DATA_CHANGE', (detail) =>
      ((detail['advertiser_ids'] as string[] | undefined) ?? []).includes(account),
    );
    for (const subscription of hit) {
      tell(world, subscription, {
        data_level: read.text('data_level') ?? 'ADVERTISER',
        changed_metrics_values: { [account]: metrics },
      });
    }
    return { told: hit.length };
  };

  const incident = ({ body }: ControlCall) => {
    const read = reader(body);
    const product = read.need('product');
    const now = Math.floor(world.clock.now().getTime() / 1000);
    const entry = {
      incident_id: read.text('incident_id') ?? world.nextId(),
      incident_event_type: oneOf('type', read.text('type'), ['CREATE', 'UPDATE', 'RESOLVE'], 'CREATE'),
      incident_level: read.text('level') ?? 'MINOR',
      product,
      start_time: now,
      update_time: now,
      detail: read.text('detail') ?? 'Requests fail more often than usual.',
    };
    const hit = subscribers(world, 'API_SERVICE_STATUS', (detail) =>
      ((detail['product_filters'] as string[] | undefined) ?? []).includes(product),
    );
    for (const subscription of hit) tell(world, subscription, entry);
    return { told: hit.length, entry };
  };

  const fire = ({ body }: ControlCall) => {
    const entity = oneOf('subscribe_entity', reader(body).need('subscribe_entity'), ENTITIES, 'LEAD');
    const hit = subscribers(world, entity);
    for (const subscription of hit) tell(world, subscription, body['entry'] ?? {});
    return { told: hit.length };
  };

  const fireAccount = ({ body }: ControlCall) => {
    const read = reader(body);
    const told = tellAccount(world, courier, {
      app_id: read.need('app_id'),
      event: read.need('event'),
      user_openid: read.text('user_openid') ?? '-000simulated',
      content: body['content'] ?? {},
    });
    return { told: told ? 1 : 0 };
  };

  return [
    route('POST', '/leads', 'people fill in a form: { page_id | ad_id, count?, lead_source?, values? }', leads),
    route('POST', '/ads/:id/reject', 'the review refuses an ad: { reason? }', (call) => decide(call, true)),
    route('POST', '/ads/:id/approve', 'the review lets an ad pass', (call) => decide(call, false)),
    route('POST', '/creative_fatigue', 'an ad is seen too often: { ad_id, fatigue_index? }', fatigue),
    route('POST', '/report_data_change', 'past numbers change: { advertiser_id, data_level?, metrics }', reportChange),
    route('POST', '/incidents', 'an incident of the API: { product, type?, level?, detail? }', incident),
    route('POST', '/webhooks/fire', 'any entry to all subscribers: { subscribe_entity, entry }', fire),
    route('POST', '/account_webhooks/fire', 'an event of a TikTok account: { app_id, event, content }', fireAccount),
    route('POST', '/comments', 'somebody comments on an ad: { ad_id, content, user_name? }', ({ body }) => {
      const read = reader(body);
      const id = read.need('ad_id');
      const name = read.text('user_name');
      const row = found(world.ads.get(id), `ad ${id}`);
      return addComment(world, row, {
        content: read.need('content'),
        ...(name === undefined ? {} : { user_name: name }),
      });
    }),
    route('POST', '/optimizer_rules/:id/run', 'run an automated rule as if its conditions were met', ({ params }) => {
      const rule = found(rulesOf(world).get(params['id']!), `rule ${params['id']}`);
      return { result: runRule(world, rule) ?? null };
    }),
    route('GET', '/webhooks', 'subscriptions, and callbacks that wait or went out', () => ({
      subscriptions: [...subscriptionsOf(world).values()].map((row) => ({
        subscription_id: row.id,
        app_id: row.app_id,
        subscribe_entity: row.subscribe_entity,
        callback_url: row.callback_url,
        live: grantLives(world, row),
      })),
      deliveries: courier.list().map(({ id, about, url, attempts, status, last, due }) => ({
        id,
        about,
        url,
        attempts,
        status,
        last,
        next_attempt: status === 'waiting' ? new Date(due).toISOString() : null,
      })),
    })),
    route('POST', '/webhooks/deliver', 'deliver what is due, and wait for it', () => courier.round()),
    route('POST', '/webhooks/again', 'deliver one callback once more: { id }', ({ body }) => {
      found(courier.again(reader(body).need('id')) || undefined, 'such delivery');
      return courier.round();
    }),
  ];
}
