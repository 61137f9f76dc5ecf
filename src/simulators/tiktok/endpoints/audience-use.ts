import {
  audiencesOf,
  editorOf,
  ownAudience,
  requireUsable,
  sharedWith,
  visibleAudience,
  withHistory,
} from '../audiences.ts';
import { reads, writes } from '../declared.ts';
import { page } from '../paging.ts';
import { advertiserIdOf } from '../params.ts';
import { changeable, given, invalid, missing } from '../rules.ts';
import type { Call, Endpoint } from '../types.ts';

/**
 * What is done with custom audiences: applied to ad groups, shared with ad accounts, with the logs of both. Facts: yml
 * dmp_custom_audience_{apply,apply_log,share,share_cancel,share_log}; words of the share log's `status` (unverified).
 */

interface Applied {
  id: string;
  advertiser_id: string;
  audience_id: string;
  adgroup_id: string;
  adgroup_name: unknown;
  usage_mode: string;
  editor: string;
  /** Epoch milliseconds. */
  at: number;
}

interface Shared {
  id: string;
  audience: string;
  advertiser: string;
  status: 'SHARED' | 'CANCELED';
}

const applied = (call: Call) =>
  call.world.store.collection<Applied>('audience_uses', { audience: (row) => row.audience_id });
const shares = (call: Call) =>
  call.world.store.collection<Shared>('audience_shares', { audience: (row) => row.audience });

function apply(call: Call): unknown {
  const { world, params } = call;
  const account = advertiserIdOf(call);
  const audience = visibleAudience(world, params['custom_audience_id'], account);
  const connect = params['action_mode'] === 'Apply';
  if (connect && !given(params, 'usage_mode')) missing('usage_mode');
  const usage = String(params['usage_mode'] ?? 'Include');
  if (connect) requireUsable(world, audience, 'custom_audience_id');
  if (audience['type'] === 'LOOKALIKE' && audience['audience_sub_type'] === 'REACH_FREQUENCY') {
    invalid('custom_audience_id: Lookalike audiences cannot be used in Reach & Frequency ads.');
  }
  const field = usage === 'Exclude' ? 'excluded_audience_ids' : 'audience_ids';
  const adgroups = (params['adgroup_ids'] as string[]).map((id) => changeable(world.adgroups, 'ad group', id, account));
  world.adgroups.putAll(
    adgroups.map((row) => {
      const ids = ((row[field] as string[] | null | undefined) ?? []).filter((id) => id !== audience.id);
      return { ...row, [field]: connect ? [...ids, audience.id] : ids, modify_time: world.stamp(call.now) };
    }),
  );
  // The log is of applications alone.
  for (const adgroup of connect ? adgroups : []) {
    applied(call).put({
      id: world.nextId(),
      advertiser_id: account,
      audience_id: audience.id,
      adgroup_id: adgroup.id,
      adgroup_name: adgroup['adgroup_name'],
      usage_mode: usage,
      editor: editorOf(call),
      at: call.now.getTime(),
    });
  }
  const row = withHistory(
    call,
    audience,
    connect ? 'APPLY' : 'DISCONNECT',
    `${usage} in ${adgroups.length} ad group(s)`,
  );
  audiencesOf(world).put({ ...row, _used_ms: call.now.getTime() });
  return {};
}

function applyLog(call: Call): unknown {
  const account = advertiserIdOf(call);
  const ids = call.params['custom_audience_ids'] as string[];
  const rows = ids
    .map((id) => ownAudience(call.world, id, account))
    .flatMap(({ id }) => applied(call).by('audience', id))
    .filter((row) => row.advertiser_id === account)
    .toReversed();
  const { list, page_info } = page(rows, call, 100);
  return {
    advertiser_id: account,
    list: list.map(({ audience_id, adgroup_id, adgroup_name, usage_mode, editor, at }) => ({
      audience_id,
      adgroup_id,
      adgroup_name,
      usage_mode,
      editor,
      action_timestamp: call.world.stamp(new Date(at)),
    })),
    page_info,
  };
}

/** Kinds of audiences that can be shared; `ENGAGEMENT` stands for its organic and live forms too. */
const SHAREABLE = ['CUSTOMER_FILE', 'STREAMING', 'LOOKALIKE', 'APP', 'PIXEL', 'ENGAGEMENT'];

/** With one to ten ad accounts of the same Business Center. */
function share(call: Call): unknown {
  const { world, params } = call;
  const account = advertiserIdOf(call);
  const targets = params['shared_advertiser_ids'] as string[];
  if (targets.length < 1 || targets.length > 10) invalid('shared_advertiser_ids: The size must be from 1 to 10.');
  const bc = world.advertisers.get(account)?.owner_bc_id;
  const strange = targets.find((id) => id === account || !bc || world.advertisers.get(id)?.owner_bc_id !== bc);
  if (strange !== undefined) {
    invalid(`shared_advertiser_ids: The advertiser ${strange} is not in the same Business Center.`);
  }
  const audiences = (params['custom_audience_ids'] as string[]).map((id) => ownAudience(world, id, account));
  const fixed = audiences.find(
    ({ type }) => !SHAREABLE.includes(String(type).split('_ORGANIC')[0]!.split('_LIVE')[0]!),
  );
  if (fixed) invalid(`custom_audience_ids: Audiences of the type ${String(fixed['type'])} cannot be shared.`);
  for (const audience of audiences) {
    const _shared_with = [...new Set([...sharedWith(audience), ...targets])];
    audiencesOf(world).put(
      withHistory(call, { ...audience, _shared_with }, 'SHARE', `Shared with ${targets.join(', ')}`),
    );
    for (const id of targets) {
      shares(call).put({ id: `${audience.id}:${id}`, audience: audience.id, advertiser: id, status: 'SHARED' });
    }
  }
  return {};
}

function cancelShare(call: Call): unknown {
  const { world, params } = call;
  const audience = ownAudience(world, params['custom_audience_id'], advertiserIdOf(call));
  const target = String(params['shared_advertiser_id']);
  if (!sharedWith(audience).includes(target)) {
    invalid(`shared_advertiser_id: The custom audience is not shared with ${target}.`);
  }
  const _shared_with = sharedWith(audience).filter((id) => id !== target);
  audiencesOf(world).put(
    withHistory(call, { ...audience, _shared_with }, 'CANCEL_SHARE', `No longer shared with ${target}`),
  );
  shares(call).put({ id: `${audience.id}:${target}`, audience: audience.id, advertiser: target, status: 'CANCELED' });
  return {};
}

function shareLog(call: Call): unknown {
  const audience = ownAudience(call.world, call.params['custom_audience_id'], advertiserIdOf(call));
  return {
    list: shares(call)
      .by('audience', audience.id)
      .map((row) => ({
        shared_advertiser_id: row.advertiser,
        shared_advertiser_name: call.world.advertisers.get(row.advertiser)?.name ?? null,
        custom_audience_id: audience.id,
        status: row.status,
      })),
  };
}

/** Uses and shares of custom audiences. */
export const endpoints: Endpoint[] = [
  writes('dmp/custom_audience/apply', apply),
  reads('dmp/custom_audience/apply/log', applyLog),
  writes('dmp/custom_audience/share', share),
  writes('dmp/custom_audience/share/cancel', cancelShare),
  reads('dmp/custom_audience/share/log', shareLog),
];
