import { describe, expect, it } from 'vitest';
import { PolyadError } from '../errors/index.ts';
import {
  ALL_DIMENSIONS,
  ALL_METRICS,
  DIMENSIONS,
  METRICS,
  OBJECT_NAMES,
  OBJECTS,
  parseItemQuery,
  parseListQuery,
  parseRawParameters,
  type RawQuery,
} from './index.ts';

function issues(run: () => unknown): { path: string; reason: string; allowed?: string[] }[] {
  try {
    run();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(PolyadError);
    expect((thrown as PolyadError).code).toBe('input_invalid');
    return (thrown as PolyadError).details!['issues'] as { path: string; reason: string; allowed?: string[] }[];
  }
  throw new Error('was taken');
}

describe('parseListQuery', () => {
  it('has a page of 100 from the start when nothing is asked', () => {
    expect(parseListQuery('campaign', {})).toEqual({
      object: 'campaign',
      limit: 100,
      offset: 0,
      order: 'asc',
      fields: undefined,
      raw: {},
      filters: {},
      metrics: [],
      dimensions: [],
    });
  });

  it('refuses values of enum filters that the model does not have, naming those that it has', () => {
    for (const [name, value, known] of [
      ['status', 'BOGUS', 'PAUSED'],
      ['status', 'ACTIVE,PAUSED', 'ACTIVE'],
      ['effective_status', 'ACTIVE', 'SERVING'],
      ['goal', 'sales', 'SALES'],
    ] as const) {
      const [issue] = issues(() => parseListQuery('campaign', { [name]: value }));
      expect(issue).toMatchObject({ path: name, reason: 'unknown value' });
      expect(issue?.allowed).toContain(known);
    }
  });

  it('reads what the published client sends', () => {
    const query = parseListQuery('campaign', {
      effective_status: 'SERVING',
      end_lt: '2026-02-01T00:00:00Z',
      fields: ['id', 'name'],
      goal: 'SALES',
      limit: '10',
      offset: '20',
      order: 'desc',
      org_id: 'o',
      query: 'a b',
      raw: 'foo=bar&zoo=bar',
      sort: 'updated_at',
      start_gte: '2026-01-01T00:00:00Z',
      status: 'ACTIVE',
      updated_gte: '2025-12-01',
    });
    expect(query).toMatchObject({ limit: 10, offset: 20, order: 'desc', sort: 'updated_at' });
    expect(query.fields?.paths).toEqual(['id', 'name']);
    expect(query.raw).toEqual({ foo: 'bar', zoo: 'bar' });
    expect(query.filters).toEqual({
      effective_status: 'SERVING',
      end_lt: '2026-02-01T00:00:00Z',
      goal: 'SALES',
      org_id: 'o',
      query: 'a b',
      start_gte: '2026-01-01T00:00:00Z',
      status: 'ACTIVE',
      updated_gte: '2025-12-01T00:00:00Z',
    });
  });

  it('takes every filter of every object, and refuses those of others by name', () => {
    const sample: Record<string, string> = {
      start_gte: '2026-01-01',
      end_lt: '2026-01-02',
      dimension: 'DATE',
      status: 'ACTIVE',
      effective_status: 'SERVING',
      goal: 'SALES',
    };
    const all = new Set(OBJECT_NAMES.flatMap((object) => OBJECTS[object].filters));
    for (const object of OBJECT_NAMES)
      for (const filter of all) {
        const query: RawQuery = {
          [filter]: sample[filter] ?? (object === 'report' && filter === 'type' ? 'CLICKS' : 'x'),
        };
        if (OBJECTS[object].filters.includes(filter)) expect(() => parseListQuery(object, query)).not.toThrow();
        else
          expect(issues(() => parseListQuery(object, query))).toEqual([
            { path: filter, reason: 'unknown here', allowed: expect.arrayContaining(['limit', 'fields']) },
          ]);
      }
  });

  it.each([
    [{ limit: '0' }, 'limit'],
    [{ limit: '1001' }, 'limit'],
    [{ limit: '-1' }, 'limit'],
    [{ limit: '1e2' }, 'limit'],
    [{ limit: ['1', '2'] }, 'limit'],
    [{ offset: '-1' }, 'offset'],
    [{ offset: '1.5' }, 'offset'],
    [{ sort: 'budget_amount' }, 'sort'],
    [{ order: 'up' }, 'order'],
    [{ start_gte: 'yesterday' }, 'start_gte'],
    [{ start_gte: '2026-02-30' }, 'start_gte'],
    [{ updated_gte: '1767225600' }, 'updated_gte'],
    [{ org_id: ' ' }, 'org_id'],
    [{ org_id: ['a', 'b'] }, 'org_id'],
    [{ statuss: 'ACTIVE' }, 'statuss'],
    [{ start_gte: '2026-02-01', end_lt: '2026-02-01' }, 'end_lt'],
    [{ start_gte: '2026-02-02', end_lt: '2026-02-01T00:00:00+09:00' }, 'end_lt'],
  ] as [RawQuery, string][])('refuses %o, naming %s', (query, parameter) => {
    expect(issues(() => parseListQuery('campaign', query))).toEqual([
      expect.objectContaining({ path: parameter, reason: expect.stringMatching(/\w/) }),
    ]);
  });

  it('names all wrong parameters at once', () => {
    expect(
      issues(() => parseListQuery('campaign', { limit: 'x', sort: 'x', foo: 'x' }))
        .map((issue) => issue.path)
        .sort(),
    ).toEqual(['foo', 'limit', 'sort']);
  });

  it.each([
    ['2026-01-31', '2026-01-31T00:00:00Z', '2026-01-31'],
    ['2026-01-31T10:00:00', '2026-01-31T10:00:00Z', undefined],
    ['2026-01-31T10:00:00+09:00', '2026-01-31T01:00:00Z', undefined],
    // A plus that was not percent-encoded.
    ['2026-01-31T10:00:00 09:00', '2026-01-31T01:00:00Z', undefined],
    ['2026-01-31 10:00:00', '2026-01-31T10:00:00Z', undefined],
  ])('reads the bound %s as %s', (sent, iso, date) => {
    const { start, filters } = parseListQuery('report', { start_gte: sent });
    expect(start).toEqual(date === undefined ? { iso } : { iso, date });
    expect(filters.start_gte).toBe(iso);
  });
});

describe('report queries', () => {
  it('read lists of metrics and breakdowns', () => {
    const query = parseListQuery('report', {
      type: 'CLICKS, COST,,CLICKS,1D_VIEW',
      dimension: 'DATE,DEVICE',
      level: 'ad',
    });
    expect(query.metrics).toEqual(['CLICKS', 'COST', '1D_VIEW']);
    expect(query.dimensions).toEqual(['DATE', 'DEVICE']);
    expect(query.level).toBe('ad');
    expect(query.filters).toEqual({});
  });

  it('take every metric and breakdown there is', () => {
    expect(parseListQuery('report', { type: METRICS.join(','), dimension: DIMENSIONS.join(',') })).toMatchObject({
      metrics: [...METRICS],
      dimensions: [...DIMENSIONS],
    });
  });

  it('refuse unknown ones by name, with those there are', () => {
    expect(issues(() => parseListQuery('report', { type: 'CLICKS,clicks,FOO' }))).toEqual([
      { path: 'type', reason: 'unknown: clicks, FOO', allowed: [...ALL_METRICS] },
    ]);
    expect(issues(() => parseListQuery('report', { dimension: 'DAY' }))[0]?.allowed).toEqual([...ALL_DIMENSIONS]);
  });

  it('are whole without a limit', () => {
    expect(parseListQuery('report', {}).limit).toBeUndefined();
    expect(parseListQuery('report', { limit: '100' }).limit).toBe(100);
  });

  it('leave `type` of other lists as one text', () => {
    expect(parseListQuery('target', { type: 'INTEREST' })).toMatchObject({
      filters: { type: 'INTEREST' },
      metrics: [],
    });
  });
});

describe('parseItemQuery', () => {
  it('reads fields and raw, and leaves the parameters it is told of to the caller', () => {
    const query = parseItemQuery('ad', { fields: 'id,raw.x', raw: 'a=1', dry_run: 'true' }, ['dry_run']);
    expect(query.fields?.paths).toEqual(['id', 'raw.x']);
    expect(query.raw).toEqual({ a: '1' });
  });

  it('refuses others', () => {
    expect(issues(() => parseItemQuery('ad', { limit: '1' }, ['dry_run']))).toEqual([
      { path: 'limit', reason: 'unknown here', allowed: ['fields', 'raw', 'dry_run'] },
    ]);
  });
});

describe('parseRawParameters', () => {
  it('keeps repeated parameters as a list, and names as they are', () => {
    expect(parseRawParameters('a=1&b=x%26y&a=2&a=3&c')).toEqual({ a: ['1', '2', '3'], b: 'x&y', c: '' });
    expect(Object.keys(parseRawParameters('__proto__=1&x=2'))).toContain('x');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
