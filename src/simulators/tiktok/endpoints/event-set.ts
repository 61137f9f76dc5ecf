import { reads, textsOf, writes } from '../declared.ts';
import { crmSets, offlineSets } from '../event-sources.ts';
import { advertiserId, advertiserIdOf } from '../params.ts';
import { given, missing, owned } from '../rules.ts';
import type { Call, Endpoint, Native } from '../types.ts';

/**
 * Offline event sets (yml offline_*) and CRM event sets (crm/list from an independent transcription of the reference;
 * what crm/create takes and answers is unverified).
 */

const offlineView = (row: Native) => ({
  event_set_id: row.id,
  name: row['name'],
  description: row['description'] ?? '',
  auto_tracking: row['auto_tracking'] ?? false,
  advertiser_id: row.advertiser_id,
  create_time: row['create_time'],
  update_time: row['update_time'] ?? row['create_time'],
});

function createOffline(call: Call): unknown {
  const { world, params } = call;
  const id = world.nextId();
  const at = world.stamp(call.now);
  offlineSets(world).put({
    id,
    advertiser_id: advertiserIdOf(call),
    name: params['name'],
    description: params['description'],
    auto_tracking: params['auto_tracking'] ?? false,
    create_time: at,
    update_time: at,
  });
  return { event_set_id: id };
}

function getOffline(call: Call): unknown {
  const { world, params, grant } = call;
  const ids = textsOf(call, 'event_set_ids');
  if (!given(params, 'advertiser_id') && !ids) missing('advertiser_id');
  const rows = given(params, 'advertiser_id')
    ? offlineSets(world).by('advertiser', advertiserIdOf(call))
    : [...offlineSets(world).values()].filter((row) => grant?.advertiser_ids.includes(row.advertiser_id));
  return {
    event_set_list: rows
      .filter((row) => !ids || ids.includes(row.id))
      .filter((row) => !given(params, 'name') || String(row['name']).includes(String(params['name'])))
      .map(offlineView),
  };
}

function updateOffline(call: Call): unknown {
  const { world, params } = call;
  const before = owned(offlineSets(world), 'offline event set', params['event_set_id'], advertiserIdOf(call));
  const row = { ...before, update_time: world.stamp(call.now) } as Native;
  for (const name of ['name', 'auto_tracking']) if (given(params, name)) row[name] = params[name];
  offlineSets(world).put(row);
  return offlineView(row);
}

function deleteOffline(call: Call): unknown {
  const sets = offlineSets(call.world);
  sets.delete(owned(sets, 'offline event set', call.params['event_set_id'], advertiserIdOf(call)).id);
  return {};
}

function listCrm(call: Call): unknown {
  const ids = textsOf(call, 'event_set_ids');
  const name = call.params['name'];
  return {
    crm_event_sets: crmSets(call.world)
      .by('advertiser', advertiserIdOf(call))
      .filter((row) => !ids || ids.includes(row.id))
      .filter((row) => typeof name !== 'string' || String(row['name']).includes(name))
      .map((row) => ({ event_set_id: row.id, name: row['name'], create_time: row['create_time'] })),
  };
}

function createCrm(call: Call): unknown {
  const { world, params } = call;
  const id = world.nextId();
  crmSets(world).put({
    id,
    advertiser_id: advertiserIdOf(call),
    name: params['name'],
    create_time: world.stamp(call.now),
  });
  return { event_set_id: id };
}

/** Offline and CRM event sets. */
export const endpoints: Endpoint[] = [
  writes('offline/create', createOffline),
  reads('offline/get', getOffline),
  writes('offline/update', updateOffline),
  writes('offline/delete', deleteOffline),
  reads('crm/list', listCrm),
  {
    method: 'POST',
    path: 'crm/create',
    auth: 'token',
    write: true,
    // The reference names no permission; that of CRM events is the likeliest.
    scopes: ['7294180478502830081'],
    params: [advertiserId, { name: 'name', type: 'string', required: true, min: 1 }],
    handle: createCrm,
  },
];
