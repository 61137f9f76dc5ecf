import { describe, expect, it } from 'vitest';
import type { AccountNode } from '../connector/accounts-spec.ts';
import type { AccountRow } from '../store/schema.ts';
import { compareTrees } from './compare.ts';

const organization = (id: string, owner: string | undefined, more: Partial<AccountNode> = {}): AccountNode => ({
  ...{ id, kind: 'organization', status: 'active', role: 'admin', granted: true },
  parent_ids: owner === undefined ? [] : [owner],
  ...(owner === undefined ? {} : { owner_id: owner }),
  ...more,
});
const business = (id: string): AccountNode => ({
  ...{ id, kind: 'business', name: `Center ${id}`, status: 'active', role: 'admin', parent_ids: [], granted: true },
});
const stored = (node: AccountNode, lost = false): AccountRow => ({
  ...{
    connection_id: 'c',
    id: node.id,
    kind: node.kind,
    name: node.name ?? null,
    owner_id: node.owner_id ?? null,
    node,
  },
  ...{ lost_at: lost ? new Date(0) : null, lost_with: null, seen_at: new Date(0) },
});

const BEFORE = [
  business('A'),
  business('B'),
  organization('a1', 'A'),
  organization('a2', 'A'),
  organization('b1', 'B'),
  organization('x', undefined),
].map((node) => stored(node));
const without = (...ids: string[]): AccountNode[] =>
  BEFORE.map(({ node }) => node).filter(({ id }) => !ids.includes(id));

describe('what came and went', () => {
  it('nothing', () => expect(compareTrees(BEFORE, without(), [])).toEqual({ lost: [], recovered: [], dropped: [] }));

  it('an ad account by itself', () =>
    expect(compareTrees(BEFORE, without('a1'), []).lost).toEqual([{ kind: 'organization', id: 'a1' }]));

  it('a business with all it had', () =>
    expect(compareTrees(BEFORE, without('A', 'a1', 'a2'), []).lost).toEqual([
      { kind: 'business', id: 'A', business_name: 'Center A' },
      { kind: 'organization', id: 'a1', lost_with: 'A', business_name: 'Center A' },
      { kind: 'organization', id: 'a2', lost_with: 'A', business_name: 'Center A' },
    ]));

  it('all that a business owned, though the business itself is still seen', () =>
    expect(compareTrees(BEFORE, without('a1', 'a2'), []).lost).toEqual([
      { kind: 'organization', id: 'a1', lost_with: 'A', business_name: 'Center A' },
      { kind: 'organization', id: 'a2', lost_with: 'A', business_name: 'Center A' },
    ]));

  it('the only ad account of a business that is still there went by itself', () =>
    expect(compareTrees(BEFORE, without('b1'), []).lost).toEqual([{ kind: 'organization', id: 'b1' }]));

  it('businesses that could not be read are not lost, ad accounts that the grant no longer lists are', () => {
    const gaps = [{ part: 'businesses', reason: 'no permission' }];
    expect(compareTrees(BEFORE, without('A', 'B', 'x'), gaps).lost).toEqual([{ kind: 'organization', id: 'x' }]);
  });

  it('an ad account that is still seen, but not ticked any more', () => {
    const nodes = [...without('a1'), organization('a1', 'A', { granted: false })];
    expect(compareTrees(BEFORE, nodes, []).lost).toEqual([{ kind: 'organization', id: 'a1' }]);
  });

  it('what was never ticked and is gone is forgotten, unless its business could not be read', () => {
    const before = [...BEFORE, stored(organization('n', 'B', { granted: false }))];
    expect(compareTrees(before, without(), []).dropped).toEqual(['n']);
    expect(compareTrees(before, without(), [{ part: 'B', reason: 'refused' }]).dropped).toEqual([]);
    expect(compareTrees(before, without(), []).lost).toEqual([]);
  });

  it('what comes back', () => {
    const before = BEFORE.map(({ node }) => stored(node, node.id === 'A' || node.id === 'a1'));
    expect(compareTrees(before, without(), []).recovered).toEqual([
      { kind: 'business', id: 'A', business_name: 'Center A' },
      { kind: 'organization', id: 'a1', business_name: undefined },
    ]);
    // Seen, but not ticked: not back.
    const nodes = [...without('a1'), organization('a1', 'A', { granted: false })];
    expect(compareTrees(before, nodes, []).recovered.map(({ id }) => id)).toEqual(['A']);
  });
});
