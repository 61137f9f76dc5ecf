/** The capability map clients read (`Integration.support`), derived from the declarations and from nothing else. */
import type { ConversionSpec } from './conversion-spec.ts';
import type { CompiledFields } from './fields.ts';
import type { FilterName } from './object-spec.ts';
import type { PlatformRegistry } from './registry.ts';
import type { ObjectName, Platform } from './types.ts';

/** One object's entry: the members of the wire contract's IntegrationSupport that concern ads. */
export interface ObjectSupport {
  methods: { list?: boolean; get?: boolean; create?: boolean; update?: boolean; remove?: boolean };
  inbound_fields: Record<string, string>;
  outbound_fields: Record<string, string>;
  slow_fields?: string[];
  raw_objects: string[];
  [flag: string]: unknown;
}

const FLAG: Partial<Record<FilterName, string>> = { query: 'list_query', updated_gte: 'list_updated_gte' };

const names = (paths: readonly string[], fields: CompiledFields): Record<string, string> =>
  Object.fromEntries(paths.map((path) => [path, fields.nativeNames[path] ?? '']));

/** Conversion events: what goes out by source, and which names of events there are. */
function conversionSupport({ fields, sources, credentials }: ConversionSpec): ObjectSupport {
  const outbound: Record<string, string> = {};
  for (const { unified, native } of fields) outbound[unified] = native;
  const given = Object.entries(sources);
  return {
    methods: { list: true, get: true, create: true, update: false, remove: false },
    inbound_fields: {},
    outbound_fields: outbound,
    raw_objects: given.map(([source]) => source),
    list_limit: 'supported',
    list_offset: 'supported',
    list_state: 'supported',
    conversion_sources: given.map(([source]) => source.toUpperCase()),
    conversion_events: Object.fromEntries(
      given.map(([source, { events }]) => [source.toUpperCase(), Object.keys(events)]),
    ),
    conversion_custom_events: given.filter(([, { custom }]) => custom).map(([source]) => source.toUpperCase()),
    conversion_credentials: [...credentials.map(({ kind }) => kind), 'connection'],
  };
}

/** `ads_<object>` -> support, for every object the platform offers. */
export function capabilities(platform: Platform, registry: PlatformRegistry): Record<string, ObjectSupport> {
  const out: Record<string, ObjectSupport> = {};
  for (const [name, spec] of Object.entries(platform.objects)) {
    const fields = registry.fields(platform, name as ObjectName);
    const support: ObjectSupport = {
      methods: {
        list: spec.list !== undefined,
        get: spec.get !== undefined,
        create: spec.create !== undefined,
        update: spec.update !== undefined,
        remove: spec.remove !== undefined,
      },
      // The contract's direction words: inbound = from the platform to the client, outbound = the other way.
      inbound_fields: names(fields.readable, fields),
      outbound_fields: names([...new Set([...fields.creatable, ...fields.updatable])], fields),
      raw_objects: [spec.native],
      ...(spec.slowFields === undefined ? {} : { slow_fields: [...spec.slowFields] }),
    };
    if (spec.list !== undefined) {
      for (const flag of [
        'list_limit',
        'list_offset',
        'list_order',
        'list_raw_fields',
        'list_sort_by_name',
        'list_sort_by_created_at',
        'list_sort_by_updated_at',
      ])
        support[flag] = 'supported';
      for (const filter of Object.keys(spec.list.filters) as FilterName[])
        support[FLAG[filter] ?? `list_${filter}`] = 'supported';
      if (spec.scope === 'organization') support['list_org_id'] = 'supported';
    }
    out[`ads_${name}`] = support;
  }
  if (platform.conversions !== undefined) out['ads_conversion'] = conversionSupport(platform.conversions);
  if (platform.report !== undefined) {
    const { report } = platform;
    out['ads_report'] = {
      methods: { list: true, get: false, create: false, update: false, remove: false },
      inbound_fields: Object.fromEntries(
        Object.entries(report.metrics).map(([metric, rule]) => [
          `metrics.${metric}`,
          'native' in rule ? rule.native.join(' + ') : `computed: ${rule.numerator} / ${rule.denominator}`,
        ]),
      ),
      outbound_fields: {},
      raw_objects: [...report.levels],
      list_limit: 'supported',
      list_offset: 'supported',
      list_org_id: 'supported',
      list_start_gte: 'supported',
      list_end_lt: 'supported',
      list_type: 'supported',
      list_dimension: Object.keys(report.dimensions).length > 0 ? 'supported' : 'not-supported',
      list_raw_fields: 'supported',
      ...(report.levels.includes('campaign') ? { list_campaign_id: 'supported' } : {}),
      ...(report.levels.includes('group') ? { list_group_id: 'supported' } : {}),
      ...(report.levels.includes('ad') ? { list_ad_id: 'supported' } : {}),
    };
  }
  return out;
}
