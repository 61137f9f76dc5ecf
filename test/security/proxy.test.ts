/** Behind a proxy that ends TLS: whose address counts, and what cookies look like. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/core/config.ts';
import { type Harness, startHarness } from '../server/support/harness.ts';

let plain: Harness;
let behind: Harness;
let named: Harness;
beforeAll(async () => {
  plain = await startHarness();
  behind = await startHarness({ POLYAD_TRUST_PROXY: '1', POLYAD_PUBLIC_URL: 'https://polyad.example' });
  named = await startHarness({ POLYAD_TRUST_PROXY: 'loopback, 10.0.0.0/8' });
});
afterAll(async () => {
  for (const one of [plain, behind, named]) await one.close();
});

const addressOf = async (h: Harness, forwarded?: string): Promise<string | null> => {
  const id = `r-${Math.random().toString(36).slice(2)}`;
  const headers = { 'x-request-id': id, ...(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }) };
  await h.fetch(`/ads/${h.connection.id}/campaign`, { headers });
  return (await h.calls()).find((row) => row.request_id === id)?.ip_address ?? null;
};

describe('the caller’s address', () => {
  it('is the one that connects, whatever a header says, unless a proxy is trusted', async () => {
    expect(await addressOf(plain)).toBe('127.0.0.1');
    expect(await addressOf(plain, '8.8.8.8')).toBe('127.0.0.1');
  });

  it('is what the trusted proxy adds, and nothing that the caller wrote before', async () => {
    expect(await addressOf(behind, '8.8.8.8')).toBe('8.8.8.8');
    expect(await addressOf(behind, '1.2.3.4, 8.8.8.8')).toBe('8.8.8.8');
    expect(await addressOf(named, '1.2.3.4, 10.1.1.1')).toBe('1.2.3.4');
    expect(await addressOf(named, '9.9.9.9, 8.8.8.8, 10.1.1.1')).toBe('8.8.8.8');
  });

  it('is what wrong keys are counted by: others behind the proxy are not shut out', async () => {
    const guess = async (h: Harness, from: string, key: string) =>
      (await h.fetch('/v1/events', { key, headers: { 'x-forwarded-for': from } })).status;
    for (let n = 0; n < 31; n += 1) await guess(behind, '6.6.6.6', `polyad_${n}`);
    expect(await guess(behind, '6.6.6.6', 'polyad_x')).toBe(429);
    expect(await guess(behind, '7.7.7.7', 'polyad_x')).toBe(401);
    // Who is trusted by nobody cannot choose where his guesses are counted.
    for (let n = 0; n < 31; n += 1) await guess(plain, `6.6.6.${n}`, `polyad_${n}`);
    expect(await guess(plain, '5.5.5.5', 'polyad_x')).toBe(429);
  });

  it('is configured as number, names and ranges; anything else is refused at the start', () => {
    expect(loadConfig({ POLYAD_TRUST_PROXY: '2' }).trustProxy).toBe(2);
    expect(loadConfig({ POLYAD_TRUST_PROXY: '10.0.0.0/8,::1' }).trustProxy).toEqual(['10.0.0.0/8', '::1']);
    for (const wrong of ['yes', '0', '10.0.0.0/99', 'proxy.example'])
      expect(() => loadConfig({ POLYAD_TRUST_PROXY: wrong })).toThrow(/POLYAD_TRUST_PROXY/);
    for (const wrong of ['http://x/path', '*', '0x7f.1'])
      expect(() => loadConfig({ POLYAD_EGRESS_ALLOW: wrong })).toThrow(/POLYAD_EGRESS_ALLOW/);
  });
});

describe('cookies over https', () => {
  it('are this host’s alone, for https alone, and out of reach of scripts; signing in and out works', async () => {
    const form = { origin: 'https://polyad.example', 'content-type': 'application/x-www-form-urlencoded' };
    const signedIn = await behind.fetch('/dashboard/sign-in', {
      method: 'POST',
      key: null,
      headers: form,
      body: new URLSearchParams({ key: behind.keys.admin }).toString(),
    });
    const set = signedIn.headers.get('set-cookie') as string;
    expect(signedIn.status).toBe(303);
    expect(set).toMatch(/^__Host-polyad_session=/);
    for (const attribute of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Strict']) expect(set).toContain(attribute);
    expect(set).not.toContain('Domain');
    const cookie = set.split(';', 1)[0] as string;
    expect((await behind.fetch('/dashboard', { key: null, headers: { cookie } })).status).toBe(200);
    await behind.fetch('/dashboard/sign-out', { method: 'POST', key: null, headers: { ...form, cookie } });
    expect((await behind.fetch('/dashboard', { key: null, headers: { cookie } })).status).toBe(303);
  });

  it('come with HSTS', async () => {
    const { headers } = await behind.fetch('/dashboard/sign-in', { key: null });
    expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{7,}/);
  });
});
