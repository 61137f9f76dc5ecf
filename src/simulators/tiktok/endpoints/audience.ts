import { audienceMembers, type MemberAction, memberDigest } from '../audience-members.ts';
import {
  audienceState,
  audiencesOf,
  changing,
  newAudience,
  ownAudience,
  requireUsable,
  sharedWith,
  visibleAudience,
  visibleAudiences,
  withHistory,
} from '../audiences.ts';
import { reads, textsOf, writes } from '../declared.ts';
import { offlineSets } from '../event-sources.ts';
import { md5 } from '../media.ts';
import { page } from '../paging.ts';
import { advertiserIdOf } from '../params.ts';
import { given, invalid, owned } from '../rules.ts';
import { type Call, type Endpoint, type Native, TikTokError } from '../types.ts';

/**
 * Custom audiences: file upload, create, update, list, get, delete; by rule; lookalikes. Facts: yml
 * dmp_custom_audience_*.
 */

/** Audiences per ad account (unverified). */
const MOST_AUDIENCES = 400;

/** What an identifier of each kind of file looks like; `FIRST_*` and mixed files may have any of them. */
const SHAPES: Readonly<Record<string, RegExp>> = {
  EMAIL_SHA256: /^[0-9a-f]{64}$/,
  PHONE_SHA256: /^[0-9a-f]{64}$/,
  IDFA_SHA256: /^[0-9a-f]{64}$/,
  GAID_SHA256: /^[0-9a-f]{64}$/,
  MAID_SHA256: /^[0-9a-f]{64}$/,
  FIRST_SHA256: /^[0-9a-f]{64}$/,
  IDFA_MD5: /^[0-9a-f]{32}$/,
  GAID_MD5: /^[0-9a-f]{32}$/,
  MAID_MD5: /^[0-9a-f]{32}$/,
  FIRST_MD5: /^[0-9a-f]{32}$/,
  MULTIPLE_TYPES: /^(?:[0-9a-f]{32}|[0-9a-f]{64})$/,
};

const kindOf = (calculateType: string) => calculateType.replace(/_(SHA256|MD5)$/, '');

/** The identifiers of a file, one a line (several columns where kinds are mixed); others than hashes do not match. */
function readIds(content: Buffer, calculateType: string): string[] {
  const shape = SHAPES[calculateType]!;
  const kind = kindOf(calculateType);
  const digests = new Set<string>();
  for (const line of content.toString('utf8').split(/\r?\n/)) {
    for (const cell of line.split(/[,;\t]/)) {
      const id = cell.trim().replace(/^"|"$/g, '').toLowerCase();
      if (shape.test(id)) digests.add(memberDigest(kind, id));
    }
  }
  return [...digests];
}

function upload(call: Call): unknown {
  const { params } = call;
  const file = call.files.find(({ field }) => field === 'file');
  if (!file) throw new TikTokError(40002, 'Missing required field(s): file.');
  const extension = /\.(txt|csv)$/i.exec(file.filename)?.[1];
  if (!extension) invalid('file: Only .txt and .csv files are supported.');
  if (file.content.length === 0) invalid('file: The file is empty.');
  if (md5(file.content) !== String(params['file_signature']).toLowerCase()) {
    invalid('file_signature: The signature does not match the file.');
  }
  const digests = readIds(file.content, String(params['calculate_type']));
  const id = call.world.nextId();
  const path = `${advertiserIdOf(call)}/${String(params['calculate_type'])}/${id}.${extension?.toLowerCase()}`;
  audienceMembers(call.world).addFile(path, digests);
  return { file_path: path };
}

/** Files work for the ad account and the kind of identifier for which they were uploaded. */
function checkFiles(call: Call, paths: readonly string[], calculateType: string): void {
  for (const path of paths) {
    const [account, type] = path.split('/');
    if (account !== advertiserIdOf(call) || !audienceMembers(call.world).hasFile(path)) {
      invalid(`file_paths: The file ${path} does not exist.`);
    }
    if (type !== calculateType) invalid(`file_paths: The file ${path} was uploaded as ${type}, not ${calculateType}.`);
  }
}

function checkCount(call: Call): void {
  if (audiencesOf(call.world).by('advertiser', advertiserIdOf(call)).length >= MOST_AUDIENCES) {
    throw new TikTokError(40002, `The advertiser has ${MOST_AUDIENCES} custom audiences, which is the limit.`);
  }
}

function create(call: Call): unknown {
  const { params } = call;
  const paths = params['file_paths'] as string[];
  const calculateType = String(params['calculate_type']);
  checkFiles(call, paths, calculateType);
  checkCount(call);
  const row = newAudience(call, 'CUSTOMER_FILE', {
    name: params['custom_audience_name'],
    calculate_type: calculateType,
    audience_sub_type: params['audience_sub_type'] ?? 'NORMAL',
    audience_enhancement: params['audience_enhancement'] ?? false,
    ...(given(params, 'retention_in_days') ? { retention_in_days: params['retention_in_days'] } : {}),
  });
  audienceMembers(call.world).changeByFiles(row.id, 'REPLACE', paths);
  audiencesOf(call.world).put(row);
  return { custom_audience_id: row.id };
}

function update(call: Call): unknown {
  const { world, params } = call;
  const before = ownAudience(world, params['custom_audience_id'], advertiserIdOf(call));
  const paths = textsOf(call, 'file_paths') ?? [];
  const action = String(params['action'] ?? 'REPLACE') as MemberAction;
  let row: Native = before;
  if (paths.length > 0) {
    if (before['type'] !== 'CUSTOMER_FILE')
      invalid('file_paths: Only customer file audiences can be updated by files.');
    checkFiles(call, paths, String(before['calculate_type']));
    row = changing(call, row);
    audienceMembers(world).changeByFiles(row.id, action, paths);
    row = withHistory(call, row, action, `${action} by ${paths.length} file(s)`);
  }
  const { custom_audience_name: name, audience_enhancement: enhancement } = params;
  if (typeof name === 'string') row = withHistory(call, { ...row, name }, 'RENAME', `Renamed to ${name}`);
  if (enhancement !== undefined) row = { ...row, audience_enhancement: enhancement };
  audiencesOf(world).put(row);
  return {};
}

/** One audience as lists and details show it. */
function view(call: Call, row: Native): Record<string, unknown> {
  const account = advertiserIdOf(call);
  return {
    audience_id: row.id,
    name: row['name'],
    // The official document says `type`, the reference `audience_type`.
    type: row['type'],
    audience_type: row['type'],
    audience_sub_type: row['audience_sub_type'],
    calculate_type: row['calculate_type'],
    audience_enhancement: row['audience_enhancement'],
    enhancement_status: null,
    ...audienceState(call.world, row),
    shared: sharedWith(row).length > 0,
    is_creator: row.advertiser_id === account,
    is_auto_refresh: row['is_auto_refresh'],
    owner_id: row.advertiser_id,
    rule: row['rule'] ?? null,
    lookalike_spec: row['lookalike_spec'] ?? {
      source_audience_id: null,
      include_source: null,
      mobile_os: null,
      placements: null,
      location_ids: null,
      audience_size: null,
    },
    create_time: row['create_time'],
  };
}

function list(call: Call): unknown {
  const ids = textsOf(call, 'custom_audience_ids');
  const rows = visibleAudiences(call.world, advertiserIdOf(call)).filter((row) => !ids || ids.includes(row.id));
  const paged = page(rows, call, 100);
  return { list: paged.list.map((row) => view(call, row)), page_info: paged.page_info };
}

function get(call: Call): unknown {
  const size = Number(call.params['history_size'] ?? 100);
  return {
    list: (call.params['custom_audience_ids'] as string[]).map((id) => {
      const row = visibleAudience(call.world, id, advertiserIdOf(call));
      return {
        audience_details: view(call, row),
        audience_history: ((row['_history'] as unknown[] | undefined) ?? []).slice(0, size),
      };
    }),
  };
}

/** An audience that an ad group uses cannot be deleted (unverified). */
function remove(call: Call): unknown {
  const { world } = call;
  const account = advertiserIdOf(call);
  const rows = (call.params['custom_audience_ids'] as string[]).map((id) => ownAudience(world, id, account));
  for (const row of rows) {
    const user = world.adgroups
      .by('advertiser', account)
      .find(
        (adgroup) =>
          adgroup['operation_status'] !== 'DELETE' &&
          ['audience_ids', 'excluded_audience_ids'].some((name) =>
            (adgroup[name] as string[] | null)?.includes(row.id),
          ),
      );
    if (user) invalid(`custom_audience_ids: The custom audience ${row.id} is used by the ad group ${user.id}.`);
  }
  for (const row of rows) {
    audienceMembers(world).change(row.id, 'REPLACE', []);
    audiencesOf(world).delete(row.id);
  }
  return {};
}

function createLookalike(call: Call): unknown {
  const { world, params } = call;
  const spec = params['lookalike_spec'] as { source_audience_id: string; location_ids: string[] };
  const source = visibleAudience(world, spec.source_audience_id, advertiserIdOf(call));
  if (source['type'] === 'LOOKALIKE') {
    invalid('lookalike_spec.source_audience_id: A lookalike audience cannot be a source.');
  }
  requireUsable(world, source, 'lookalike_spec.source_audience_id');
  checkCount(call);
  const row = newAudience(call, 'LOOKALIKE', {
    name: params['custom_audience_name'],
    audience_sub_type: params['audience_sub_type'] ?? 'NORMAL',
    lookalike_spec: spec,
  });
  audiencesOf(world).put(row);
  audiencesOf(world).put({ ...source, _used_ms: call.now.getTime() });
  return { custom_audience_id: row.id };
}

function refreshLookalikes(call: Call): unknown {
  const { world } = call;
  const rows = (call.params['custom_audience_ids'] as string[]).map((id) => {
    const row = ownAudience(world, id, advertiserIdOf(call));
    if (row['type'] !== 'LOOKALIKE')
      invalid(`custom_audience_ids: The custom audience ${id} is not a lookalike audience.`);
    return withHistory(call, changing(call, row), 'REFRESH', 'Refreshed');
  });
  audiencesOf(world).putAll(rows);
  return {};
}

type RuleSet = { rules: { event_source_ids?: string[]; retention_days: number }[] };

function createByRule(call: Call): unknown {
  const { world, params } = call;
  const account = advertiserIdOf(call);
  const type = String(params['audience_type']);
  const spec = params['rule_spec'] as { inclusion_rule_set: RuleSet; exclusion_rule_set?: RuleSet };
  const sources = {
    PIXEL: world.pixels,
    APP: world.mobileApps,
    OFFLINE: offlineSets(world),
    LEAD_GENERATION: world.pages,
  };
  for (const [i, rule] of spec.inclusion_rule_set.rules.entries()) {
    const path = `rule_spec.inclusion_rule_set.rules.${i}`;
    if (rule.retention_days < 1 || rule.retention_days > 180)
      invalid(`${path}.retention_days: Must be between 1 and 180.`);
    const rows = sources[type as keyof typeof sources];
    if (!rows) continue;
    if (!rule.event_source_ids?.length) invalid(`Missing required field(s): ${path}.event_source_ids.`);
    for (const id of rule.event_source_ids ?? []) owned(rows, 'event source', id, account);
  }
  if (type === 'BUSINESS_ACCOUNT' && !given(params, 'identity_id')) invalid('Missing required field(s): identity_id.');
  checkCount(call);
  const row = newAudience(call, type, {
    name: params['custom_audience_name'],
    audience_sub_type: params['audience_sub_type'] ?? 'NORMAL',
    audience_enhancement: params['audience_enhancement'] ?? false,
    is_auto_refresh: params['is_auto_refresh'] ?? true,
    rule: JSON.stringify(spec),
    ...(given(params, 'retention_in_days') ? { retention_in_days: params['retention_in_days'] } : {}),
  });
  audiencesOf(world).put(row);
  return { custom_audience_id: row.id };
}

/** Custom audiences. */
export const endpoints: Endpoint[] = [
  writes('dmp/custom_audience/file/upload', upload),
  writes('dmp/custom_audience/create', create),
  writes('dmp/custom_audience/update', update),
  reads('dmp/custom_audience/list', list),
  reads('dmp/custom_audience/get', get),
  writes('dmp/custom_audience/delete', remove),
  writes('dmp/custom_audience/lookalike/create', createLookalike),
  writes('dmp/custom_audience/lookalike/update', refreshLookalikes),
  writes('dmp/custom_audience/lookalike/delete', remove, { scopes: ['31'] }),
  writes('dmp/custom_audience/rule/create', createByRule),
];
