/**
 * Tenants made through the public API: a workspace, a key, an app of its own and one connection with an imported token
 * each. Many of them is also how a measurement goes faster than the quota of one app without switching pacing off.
 */
import { cli } from './processes.ts';

export interface Tenant {
  key: string;
  connection: string;
}

const json = async (url: string, key: string, method: string, body: unknown): Promise<Record<string, unknown>> => {
  const answer = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
};

/** The first key of an installation; the server must not be running on an embedded database then. */
export async function operatorKey(env: Record<string, string>): Promise<string> {
  const made = await cli(['keys', 'bootstrap', '--output', 'json'], env);
  return String(made['api_key'] ?? made['key']);
}

async function one(url: string, operator: string, index: number): Promise<Tenant> {
  const workspace = await json(`${url}/v1/workspaces`, operator, 'POST', { name: `Tenant ${index}` });
  const key = await json(`${url}/v1/keys`, operator, 'POST', {
    name: 'bench',
    workspace_id: workspace['id'],
    scopes: ['admin'],
  });
  const secret = String(key['key'] ?? key['api_key']);
  await json(`${url}/v1/integrations/tiktokads/production`, secret, 'PUT', {
    app_id: String(7_300_000_000_000_000n + BigInt(index)),
    secret: `bench-secret-${index}-0123456789abcdef`,
  });
  const connection = await json(`${url}/unified/connection`, secret, 'POST', {
    integration_type: 'tiktokads',
    environment: 'Production',
    permissions: [],
    categories: ['ads'],
    auth: { access_token: `bench-token-${index}-0123456789abcdef0123456789abcdef` },
  });
  return { key: secret, connection: String(connection['id']) };
}

/** Makes `count` tenants, the first with number `from`. */
export async function makeTenants(url: string, operator: string, count: number, from = 0): Promise<Tenant[]> {
  const tenants: Tenant[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      tenants[index] = await one(url, operator, from + index);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return tenants;
}
