/** Callers who page through a list that changes, each page on another node: what one handed out, the others know. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectAccount } from '../../src/app/connect-account.ts';
import { type Cluster, servers, startCluster } from '../scale/support/cluster.ts';
import { Campaigns, judge, type ReadPage, readAll, WHOLE } from './support/campaigns.ts';

describe.runIf(servers() !== undefined)('two nodes on Redis, in turns', () => {
  let cluster: Cluster;
  let campaigns: Campaigns;
  let connection: string;
  let turn = 0;

  const read: ReadPage = async (offset, limit) => {
    const node = cluster.nodes[turn++ % cluster.nodes.length];
    const path = `/ads/${connection}/campaign?org_id=${campaigns.advertiser}&limit=${limit}&offset=${offset}&fields=id`;
    const answer = await fetch(`${node?.ready.url}${path}`, { headers: { authorization: cluster.key } });
    const rows = (await answer.json()) as { id: string }[];
    expect({ status: answer.status, ...(answer.ok ? {} : { rows }) }).toEqual({ status: 200 });
    return rows.map(({ id }) => id);
  };
  const change = async (got: readonly string[]): Promise<void> => {
    await campaigns.add(9);
    await campaigns.remove([...got.slice(-2), ...got.slice(0, 4)]);
  };

  beforeAll(async () => {
    cluster = await startCluster(2);
    const { ready, controlUrl } = cluster.simulator;
    const put = await fetch(`${cluster.url}/v1/integrations/tiktokads/simulator`, {
      method: 'PUT',
      headers: { authorization: cluster.key, 'content-type': 'application/json' },
      body: JSON.stringify({ app_id: ready['app_id'], secret: ready['secret'] }),
    });
    expect(put.status).toBe(200);
    connection = await connectAccount({
      ...{ url: cluster.url, workspaceId: cluster.workspaceId, type: 'tiktokads', controlUrl },
    });
    const [advertiser] = ready['advertiser_ids'] as string[];
    campaigns = new Campaigns(cluster.simulator, ready['access_token'] as string, advertiser as string);
    await campaigns.add(1_500);
  }, 120_000);
  afterAll(() => cluster?.close());

  it('hand out every row once', async () => {
    const before = [...campaigns.live];
    const got = await readAll(read, 100, change);
    expect(judge(got, before, campaigns.live)).toEqual(WHOLE);
  });

  it('hand out a page again by the page before it, whichever made it', async () => {
    const first = await read(0, 100);
    const second = await read(100, 100);
    await campaigns.remove([...first.slice(90), second[0] as string]);
    expect((await read(100, 100)).slice(0, 99)).toEqual(second.slice(1));
    expect((await read(100, 100)).slice(0, 99)).toEqual(second.slice(1));
  });

  it('answer by position, and no error, while Redis is away', async () => {
    // A machine that stood still may have cut a node off: without Redis it would have nothing to go on with.
    for (const node of cluster.nodes)
      await expect
        .poll(async () => (await fetch(`${node.ready.url}/readyz`)).json())
        .toMatchObject({ status: 'ready' });
    const first = await read(0, 100);
    await cluster.redis.shut();
    const rows = await read(100, 100);
    expect(rows.length).toBe(100);
    expect(new Set([...first, ...rows]).size).toBe(200);
    await cluster.redis.open();
  });
});
