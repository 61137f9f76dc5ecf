/** What came and went between two readings of a tree, and with what. No input or output: a table of cases tests it. */
import type { AccountGap, AccountNode } from '../connector/accounts-spec.ts';
import type { AccountRow } from '../store/schema.ts';

export interface LostAccount {
  kind: 'business' | 'organization';
  id: string;
  /** Business that took the ad account with it. */
  lost_with?: string;
  business_name?: string | undefined;
}

export interface Comparison {
  lost: LostAccount[];
  recovered: { kind: 'business' | 'organization'; id: string; business_name?: string | undefined }[];
  /** Ad accounts that the grant never reached and that are gone: there is nothing to tell. */
  dropped: string[];
}

/**
 * Compares what is stored with what was read. A part that could not be read (`gaps`) says nothing about what lies in it;
 * the list of ad accounts that the grant reaches is always whole.
 *
 * An ad account was lost with a business when that business went too, or when of the ad accounts that it owns none is left.
 */
export function compareTrees(
  before: readonly AccountRow[],
  nodes: readonly AccountNode[],
  gaps: readonly AccountGap[],
): Comparison {
  const now = new Map(nodes.map((node) => [`${node.kind}/${node.id}`, node]));
  const unread = new Set(gaps.map(({ part }) => part));
  const names = new Map(
    before.filter(({ kind }) => kind === 'business').map(({ id, name }) => [id, name ?? undefined]),
  );
  for (const { node } of before)
    if (node.owner_id !== undefined && names.get(node.owner_id) === undefined)
      names.set(node.owner_id, node.owner_name);

  const businessesGone = unread.has('businesses')
    ? []
    : before.filter(({ kind, id, lost_at }) => kind === 'business' && lost_at === null && !now.has(`business/${id}`));
  const gone: AccountRow[] = [];
  const dropped: string[] = [];
  const recovered: Comparison['recovered'] = [];
  for (const row of before) {
    const found = now.get(`${row.kind}/${row.id}`);
    if (row.lost_at !== null) {
      if (found !== undefined && (row.kind === 'business' || found.granted))
        recovered.push({ kind: row.kind, id: row.id, business_name: row.name ?? undefined });
      continue;
    }
    if (row.kind === 'business') continue;
    if (row.node.granted) {
      if (found?.granted !== true) gone.push(row);
    } else if (found === undefined && !row.node.parent_ids.some((id) => unread.has(id)) && !unread.has('businesses'))
      dropped.push(row.id);
  }

  // Owners of which nothing is left took their ad accounts with them, whether or not the business itself can be seen.
  const left = new Set(
    nodes.flatMap(({ kind, granted, owner_id }) =>
      kind === 'organization' && granted && owner_id !== undefined ? [owner_id] : [],
    ),
  );
  const takers = new Set(businessesGone.map(({ id }) => id));
  const owned = new Map<string, number>();
  for (const { owner_id } of gone) if (owner_id !== null) owned.set(owner_id, (owned.get(owner_id) ?? 0) + 1);
  for (const [owner, count] of owned) if (count > 1 && !left.has(owner)) takers.add(owner);

  const taker = ({ node, owner_id }: AccountRow): string | undefined =>
    [owner_id ?? undefined, ...node.parent_ids].find((id) => id !== undefined && takers.has(id));
  return {
    lost: [
      ...businessesGone.map(({ id }): LostAccount => ({ kind: 'business', id, business_name: names.get(id) })),
      ...gone.map((row): LostAccount => {
        const business = taker(row);
        return {
          kind: 'organization',
          id: row.id,
          ...(business === undefined ? {} : { lost_with: business, business_name: names.get(business) }),
        };
      }),
    ],
    recovered,
    dropped,
  };
}
