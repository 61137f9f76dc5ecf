import { hex } from '../../kit/random.ts';
import { audienceMembers, type MemberAction, memberDigest } from '../audience-members.ts';
import {
  audienceState,
  audiencesOf,
  changing,
  newAudience,
  ownAudience,
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
import { given, invalid, missing, owned } from '../rules.ts';
import { type Call, type Endpoint, type Native, TikTokError } from '../types.ts';

/**
 * Custom audiences: file upload, create, update, list, get, delete; by rule; lookalikes. Facts: yml
 * dmp_custom_audience_*.
 */

/** Audiences per ad account (unverified). */
const MOST_AUDIENCES = 400;

/** The smallest source of a lookalike audience. */
const SMALLEST_SOURCE = 100;
/** Longest name of an audience. */
const LONGEST_NAME = 128;

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

/** For whom and as what a file was uploaded; `id` is its `file_path`. */
interface AudienceFile {
  id: string;
  advertiser_id: string;
  calculate_type: string;
}

const files = (call: Call) => call.world.store.collection<AudienceFile>('audience_files');

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
  // No longer than the official document of dmp/custom_audience/create lets it be.
  const path = hex(16, 'audience file', call.world.nextId());
  files(call).put({ id: path, advertiser_id: advertiserIdOf(call), calculate_type: String(params['calculate_type']) });
  audienceMembers(call.world).addFile(path, digests);
  return { file_path: path };
}

/** Files work for the ad account and the kind of identifier for which they were uploaded. */
function checkFiles(call: Call, paths: readonly string[], calculateType: string): void {
  for (const path of paths) {
    const file = files(call).get(path);
    if (file?.advertiser_id !== advertiserIdOf(call)) invalid(`file_paths: The file ${path} does not exist.`);
    if (file?.calculate_type !== calculateType) {
      invalid(`file_paths: The file ${path} was uploaded as ${file?.calculate_type}, not ${calculateType}.`);
    }
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
  if (given(params, 'audience_sub_type')) {
    // Then nothing else is changed, and there is no way back.
    if (params['audience_sub_type'] !== 'REACH_FREQUENCY' || before['type'] === 'LOOKALIKE') {
      invalid('audience_sub_type: It can be changed to REACH_FREQUENCY only, and not for lookalike audiences.');
    }
    audiencesOf(world).put(
      withHistory(call, { ...row, audience_sub_type: 'REACH_FREQUENCY' }, 'SUB_TYPE', 'Reach & Frequency'),
    );
    return {};
  }
  if (paths.length === 0 && !['custom_audience_name', 'audience_enhancement'].some((name) => given(params, name))) {
    missing('custom_audience_name or file_paths');
  }
  const longest = String(params['custom_audience_name'] ?? '');
  if ([...longest].length > LONGEST_NAME) invalid(`custom_audience_name: Longer than maximum length ${LONGEST_NAME}.`);
  if (paths.length > 0) {
    if (before['type'] !== 'CUSTOMER_FILE')
      invalid('file_paths: Only customer file audiences can be updated by files.');
    checkFiles(call, paths, String(before['calculate_type']));
    // TikTok lets an operation fail that leaves fewer than 1,000; how that shows is (unverified). Here the audience then
    // is not valid and says why.
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
  const source = ownAudience(world, spec.source_audience_id, advertiserIdOf(call));
  if (source['type'] === 'LOOKALIKE') {
    invalid('lookalike_spec.source_audience_id: A lookalike audience cannot be a source.');
  }
  const { cover_num } = audienceState(world, source);
  if (cover_num < SMALLEST_SOURCE) {
    invalid(
      `lookalike_spec.source_audience_id: The source audience must have at least ${SMALLEST_SOURCE} users; it has ${cover_num}.`,
    );
  }
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

interface Rule {
  event_source_ids?: string[];
  retention_days: number;
  filter_set?: { filters: unknown[] };
}
type RuleSet = { rules: Rule[] };

/** Look-back windows of videos and accounts; longer ones are for the rest, up to 180 days (unverified). */
const SHORT_WINDOWS = [7, 14, 30];
const MOST_RULES = 5;

/** Kinds whose rules take all event sources when they name none. */
const SOURCES_OPTIONAL = ['ENGAGEMENT', 'LEAD_GENERATION'];

function checkRules(call: Call, set: RuleSet, path: string, type: string): void {
  const { world } = call;
  if (set.rules.length < 1 || set.rules.length > MOST_RULES)
    invalid(`${path}.rules: The size must be from 1 to ${MOST_RULES}.`);
  const sources = {
    PIXEL: world.pixels,
    APP: world.mobileApps,
    OFFLINE: offlineSets(world),
    ENGAGEMENT: world.adgroups,
  };
  const short = ['BUSINESS_ACCOUNT', 'ENGAGEMENT_LIVE_VIDEO', 'ENGAGEMENT_ORGANIC_VIDEO'].includes(type);
  for (const [i, rule] of set.rules.entries()) {
    const at = `${path}.rules.${i}`;
    if (short && !SHORT_WINDOWS.includes(rule.retention_days)) invalid(`${at}.retention_days: It must be 7, 14 or 30.`);
    if (rule.retention_days < 1 || rule.retention_days > 180)
      invalid(`${at}.retention_days: Must be between 1 and 180.`);
    if (rule.filter_set && rule.filter_set.filters.length > 1)
      invalid(`${at}.filter_set.filters: Longer than maximum length 1.`);
    if (!SOURCES_OPTIONAL.includes(type) && !rule.event_source_ids?.length) missing(`${at}.event_source_ids`);
    if (type === 'LEAD_GENERATION' && rule.event_source_ids?.length) {
      invalid(`${at}.event_source_ids: It must not be set for audiences of the type LEAD_GENERATION.`);
    }
    const rows = sources[type as keyof typeof sources];
    if (rows) for (const id of rule.event_source_ids ?? []) owned(rows, 'event source', id, advertiserIdOf(call));
  }
}

function createByRule(call: Call): unknown {
  const { world, params } = call;
  const type = String(params['audience_type']);
  const spec = params['rule_spec'] as { inclusion_rule_set: RuleSet; exclusion_rule_set?: RuleSet };
  checkRules(call, spec.inclusion_rule_set, 'rule_spec.inclusion_rule_set', type);
  if (spec.exclusion_rule_set) checkRules(call, spec.exclusion_rule_set, 'rule_spec.exclusion_rule_set', type);
  if (type === 'ENGAGEMENT_LIVE_VIDEO' || type === 'ENGAGEMENT_ORGANIC_VIDEO') {
    for (const name of ['identity_id', 'identity_type']) if (!given(params, name)) missing(name);
    if (params['identity_type'] === 'BC_AUTH_TT' && !given(params, 'identity_authorized_bc_id')) {
      missing('identity_authorized_bc_id');
    }
  }
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
