/**
 * Carries out a checked report: chooses the objects, groups their delivery into rows, orders, filters and pages them.
 * A result is kept for a while, so that paging through it costs one computation.
 */
import { formatDay, localCalendar, SLOT_MS } from '../kit/local-days.ts';
import type { SimulatorStore } from '../kit/types.ts';
import { currencyDigits } from './currency.ts';
import { walk } from './delivery.ts';
import { calendarOf, type Run } from './ledger.ts';
import { attributeText, type Subject } from './report-attributes.ts';
import { type Dimension, slotDraw } from './report-dimensions.ts';
import { buyingType, rowAt } from './report-filters.ts';
import {
  isAttribute,
  isCash,
  type MetricPlan,
  type MoneyFormat,
  NOT_APPLICABLE,
  planMetrics,
} from './report-metrics.ts';
import type { ReportQuery } from './report-query.ts';
import { LEVELS, namedCampaigns, type Selection, selectTargets } from './report-select.ts';
import { smartAds } from './smart-plus.ts';
import { sparkVersion } from './spark.ts';
import { type StatusContext, statusContext } from './status.ts';
import type { Advertiser, Native, World } from './types.ts';

/** One row of the answer. */
export interface ReportRow {
  dimensions: Record<string, string>;
  metrics: Record<string, string>;
}

/** A report that has been carried out; rows are written when they are asked for. */
export interface ReportResult {
  length: number;
  /** Ids were left out because of `MAX_IDS`. */
  truncated: boolean;
  rows(from: number, to: number): ReportRow[];
  totals: Record<string, string> | undefined;
}

const EARLIEST = -1_000_000;
/** Room for combinations of labels in a row's key. */
const COMBINATIONS = 2 ** 20;

/** Texts as small numbers, and combinations of them as one. */
class Labels {
  private readonly ids = new Map<string, number>();
  private readonly pairs = new Map<number, number>();
  /** Texts of each combination. */
  readonly texts: (readonly string[])[] = [[]];

  /** The combination `before` with one more text. 0 is the empty combination. */
  with(before: number, text: string): number {
    let id = this.ids.get(text);
    if (id === undefined) {
      id = this.ids.size;
      this.ids.set(text, id);
    }
    const key = before * COMBINATIONS + id;
    let pair = this.pairs.get(key);
    if (pair === undefined) {
      pair = this.texts.length;
      this.texts.push([...this.texts[before]!, text]);
      this.pairs.set(key, pair);
    }
    return pair;
  }
}

/** Rows by key, with `width` columns each. */
class Table {
  readonly keys: number[] = [];
  readonly width: number;
  columns: Float64Array;
  private readonly index = new Map<number, number>();

  constructor(width: number) {
    this.width = width;
    this.columns = new Float64Array(width * 1024);
  }

  /** Where the columns of this row begin. */
  at(key: number): number {
    let row = this.index.get(key);
    if (row === undefined) {
      row = this.keys.length;
      this.index.set(key, row);
      this.keys.push(key);
      if ((row + 1) * this.width > this.columns.length) {
        const larger = new Float64Array(this.columns.length * 2);
        larger.set(this.columns);
        this.columns = larger;
      }
    }
    return row * this.width;
  }
}

/** Key parts of a row. */
const split = (key: number) => {
  const labels = key % COMBINATIONS;
  const rest = Math.floor(key / COMBINATIONS);
  return { labels, hour: rest % 24, day: Math.floor(rest / 24) % 65_536, target: Math.floor(rest / (24 * 65_536)) };
};

const join = (target: number, day: number, hour: number, labels: number) =>
  ((target * 65_536 + day) * 24 + hour) * COMBINATIONS + labels;

function fill(
  world: World,
  query: ReportQuery,
  selection: Selection,
  contexts: Map<string, StatusContext>,
  plan: MetricPlan,
  labels: Labels,
): Table {
  const table = new Table(plan.width);
  const rank = new Map(selection.targets.map((target, i) => [target.id, i]));
  const own = query.level === 'advertiser' ? -1 : LEVELS.indexOf(query.level);
  const finer = query.filters.objects.filter(({ level }) => LEVELS.indexOf(level) > own);
  const perSlot = query.utc || query.time === 'hour' || query.breakdowns.some((dimension) => dimension.perSlot);
  const touched = new Set<number>();
  const [from, to] = query.span ?? [EARLIEST, -EARLIEST];
  const utc = localCalendar('Etc/UTC');
  for (const advertiser of query.advertisers) {
    const context = contexts.get(advertiser.id)!;
    const calendar = calendarOf(advertiser);
    const targetOf = (run: Run): number | undefined =>
      rank.get(
        query.level === 'advertiser'
          ? advertiser.id
          : query.idDimension === 'ad_id_v2'
            ? String(run.ad['smart_plus_ad_id'] ?? run.ad.id)
            : rowAt(run, query.level).id,
      );
    const accept = (run: Run): boolean => {
      const target = targetOf(run);
      if (target === undefined) return false;
      if (query.reservation && buyingType(run.campaign) === 'AUCTION') return false;
      if (!inReport(query, run)) return false;
      if (!finer.every((filter) => filter.pass(rowAt(run, filter.level), context))) return false;
      touched.add(target);
      return true;
    };
    const { now } = query;
    const margin = query.utc ? 1 : 0;
    const asked = {
      advertiser,
      from: from - margin,
      to: to + margin,
      now,
      slots: perSlot,
      needed: plan.needed,
      accept,
      ...only(namedCampaigns(world, query, advertiser.id)),
    };
    walk(world, asked, (run, localDay, slot, localHour, part) => {
      let day = localDay;
      let hour = localHour;
      if (query.utc) {
        const at = calendar.day(localDay).start + slot * SLOT_MS;
        day = utc.dayOf(at);
        hour = Math.floor((at - utc.day(day).start) / 3_600_000);
        if (day < from || day > to) return;
      }
      const target = query.idDimension === undefined ? 0 : targetOf(run)!;
      const key = join(
        target,
        query.time === undefined ? 0 : day,
        query.time === 'hour' ? hour : 0,
        labelsOf(query.breakdowns, labels, run, advertiser, localDay, slot),
      );
      // First the place, then the columns: finding a place may replace them.
      const at = table.at(key);
      plan.add(run, part, table.columns, at);
    });
  }
  // With nothing but an id dimension, objects without delivery are listed, too, with zeros.
  if (query.type === 'BASIC' && query.dimensions.length === 1 && query.idDimension !== undefined) {
    selection.targets.forEach((target, i) => {
      const end = query.span ? calendarOf(target.subject.advertiser).day(query.span[1]).end : Number.POSITIVE_INFINITY;
      if (finer.length > 0 ? touched.has(i) : target.created < end || query.sandbox) table.at(join(i, 0, 0, 0));
    });
  }
  return table;
}

const only = (campaigns: readonly Native[] | undefined) => (campaigns === undefined ? {} : { campaigns });

/** Catalog reports are about ads from a catalog, playable reports about ads with playable material. */
function inReport({ type }: ReportQuery, { ad, adgroup }: Run): boolean {
  if (type === 'CATALOG') return typeof adgroup['catalog_id'] === 'string' && adgroup['catalog_id'] !== '';
  if (type === 'PLAYABLE_MATERIAL') return typeof ad['playable_url'] === 'string' && ad['playable_url'] !== '';
  return true;
}

function labelsOf(
  breakdowns: readonly Dimension[],
  labels: Labels,
  run: Run,
  advertiser: Advertiser,
  day: number,
  slot: number,
): number {
  let combination = 0;
  if (breakdowns.length === 0) return combination;
  const draw = slotDraw(run, day, slot);
  for (const dimension of breakdowns)
    combination = labels.with(combination, dimension.label({ run, advertiser, draw }));
  return combination;
}

/**
 * Carries the report out.
 * @param contexts By ad account; given when a report is made in parts, so that parents are looked up once.
 */
export function runReport(
  world: World,
  query: ReportQuery,
  contexts = new Map(query.advertisers.map(({ id }) => [id, statusContext(world, id)])),
): ReportResult {
  const numbers = query.metrics.filter((name) => name !== 'timezone' && !isAttribute(name));
  const named = query.filters.rows.filter(({ kind }) => kind === 'metric').map(({ name }) => name);
  const plan = planMetrics([...numbers, ...named, ...(query.order ? [query.order.metric] : [])]);
  const labels = new Labels();
  const selection = selectTargets(world, query, contexts);
  const table = fill(world, query, selection, contexts, plan, labels);
  const { keys } = table;
  // Taken once: the table does not grow any more.
  const { columns } = table;
  const names = query.breakdowns.map(({ name }) => name);

  const subjectOf = (key: number): Subject | undefined =>
    query.idDimension === undefined ? undefined : selection.targets[split(key).target]!.subject;
  const moneyOf = (key: number): MoneyFormat => ({
    digits: currencyDigits((subjectOf(key)?.advertiser ?? query.advertisers[0]!).currency),
    whole: query.several,
  });

  let order = Array.from(keys.keys()).filter((row) =>
    query.filters.rows.every((filter) =>
      filter.pass(
        filter.kind === 'metric'
          ? plan.value(filter.name, columns, row * plan.width, moneyOf(keys[row]!))
          : labels.texts[split(keys[row]!).labels]![names.indexOf(filter.name)]!,
      ),
    ),
  );
  order.sort((a, b) => keys[a]! - keys[b]!);
  if (query.order) {
    const { metric, ascending } = query.order;
    const values = new Float64Array(keys.length);
    for (const row of order) values[row] = plan.value(metric, columns, row * plan.width, moneyOf(keys[row]!));
    order = order.sort((a, b) => (ascending ? values[a]! - values[b]! : values[b]! - values[a]!));
  }

  const metricTexts = (at: number, key: number, source: Float64Array): Record<string, string> => {
    const subject = subjectOf(key);
    const money = moneyOf(key);
    const texts: Record<string, string> = {};
    for (const name of query.metrics) texts[name] = metricText(query, plan, name, subject, source, at, money);
    return texts;
  };
  const dimensionTexts = (key: number): Record<string, string> => {
    const { target, day, hour, labels: combination } = split(key);
    const texts: Record<string, string> = {};
    for (const name of query.dimensions) {
      if (name === 'stat_time_day') texts[name] = `${formatDay(day)} 00:00:00`;
      else if (name === 'stat_time_hour') texts[name] = `${formatDay(day)} ${String(hour).padStart(2, '0')}:00:00`;
      else if (names.includes(name)) texts[name] = labels.texts[combination]![names.indexOf(name)]!;
      else if (name === 'advertiser_id') texts[name] = selection.targets[target]!.subject.advertiser.id;
      else texts[name] = selection.targets[target]!.id;
    }
    return texts;
  };

  let totals: Record<string, string> | undefined;
  if (query.totals) {
    const sums = new Float64Array(plan.width);
    for (const row of order) for (let i = 0; i < plan.width; i++) sums[i] = sums[i]! + columns[row * plan.width + i]!;
    const money = { digits: currencyDigits(query.advertisers[0]!.currency), whole: query.several };
    totals = {};
    for (const name of query.metrics) {
      totals[name] = name === 'timezone' || isAttribute(name) ? NOT_APPLICABLE : plan.text(name, sums, 0, money);
    }
  }

  return {
    length: order.length,
    truncated: selection.truncated,
    totals,
    rows: (first, end) =>
      order.slice(first, end).map((row) => ({
        dimensions: dimensionTexts(keys[row]!),
        metrics: metricTexts(row * plan.width, keys[row]!, columns),
      })),
  };
}

const MONEY = new Set(['$', 'cash', 'cost', 'mille', 'per', 'reach_cost']);

function metricText(
  query: ReportQuery,
  plan: MetricPlan,
  name: string,
  subject: Subject | undefined,
  columns: Float64Array,
  at: number,
  money: MoneyFormat,
): string {
  if (name === 'timezone') return subject?.advertiser.timezone ?? '0';
  // Several accounts without an id dimension have no one currency (TikTok docs 1740302848100353).
  if (isAttribute(name)) return subject ? attributeText(name, subject) : '0';
  if (query.several && !subject && MONEY.has(plan.how(name))) return NOT_APPLICABLE;
  if (isCash(name) && query.level !== 'advertiser') return NOT_APPLICABLE;
  return plan.text(name, columns, at, money);
}

interface KeptResult {
  result: ReportResult;
  timer: NodeJS.Timeout;
}

const kept = new WeakMap<SimulatorStore, Map<string, KeptResult>>();
const KEPT_MS = 60_000;
const KEPT_RESULTS = 8;

/**
 * The report, from memory if the same one was asked for in the last minute and nothing it depends on has changed.
 * @param asked The request's parameters, whatever decides the result.
 */
export function cachedReport(world: World, query: ReportQuery, asked: unknown): ReportResult {
  let results = kept.get(world.store);
  if (!results) {
    results = new Map();
    kept.set(world.store, results);
  }
  const versions = [smartAds(world), world.campaigns, world.adgroups, world.ads, world.advertisers].map(
    ({ version }) => version,
  );
  const past = world.store.collection('past').version;
  const slot = Math.floor(query.now / SLOT_MS);
  const key = JSON.stringify([versions, past, sparkVersion(world), slot, world.settings.review_delay_ms, asked]);
  const known = results.get(key);
  const result = known?.result ?? runReport(world, query);
  if (known) clearTimeout(known.timer);
  results.delete(key);
  const timer = setTimeout((kept: Map<string, KeptResult>) => kept.delete(key), KEPT_MS, results);
  timer.unref();
  results.set(key, { result, timer });
  for (const [oldest, { timer: old }] of results) {
    if (results.size <= KEPT_RESULTS) break;
    clearTimeout(old);
    results.delete(oldest);
  }
  return result;
}
