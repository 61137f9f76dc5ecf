/** The TikTok simulator answers every documented path: by its rules, or by a refusal in TikTok's own form. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { coverage } from '../../src/simulators/tiktok/coverage.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

let tiktok: TestTikTok;
beforeAll(async () => {
  tiktok = await startTikTok();
});
afterAll(() => tiktok.close());

it('knows several hundred paths and carries most families out', () => {
  const rows = coverage();
  expect(rows.length).toBeGreaterThan(550);
  expect(new Set(rows.map((row) => row.path)).size).toBe(rows.length);
  expect(rows.filter((row) => row.answer === 'carried out').length).toBeGreaterThan(200);
});

it('answers each of them with an envelope, empty and with an ad account, and never breaks', async () => {
  const advertiser_id = tiktok.ready.advertiser_ids[0]!;
  const bc_id = tiktok.ready.bc_ids[0]!;
  const wrong: string[] = [];
  for (const { path, methods, answer } of coverage()) {
    // The token itself would be gone.
    if (path === 'oauth2/revoke_token') continue;
    for (const method of methods) {
      for (const given of [{}, { advertiser_id, bc_id }]) {
        const query = method === 'GET' ? `?${new URLSearchParams(given)}` : '';
        const response = await tiktok.raw(`/open_api/v1.3/${path}/${query}`, {
          method,
          headers: { 'Access-Token': tiktok.ready.access_token, 'content-type': 'application/json' },
          ...(method === 'POST' ? { body: JSON.stringify(given) } : {}),
        });
        const text = await response.text();
        const envelope = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>;
        const code = envelope['code'];
        const sound =
          response.status === 200 &&
          typeof code === 'number' &&
          code !== 50000 &&
          typeof envelope['message'] === 'string' &&
          envelope['message'] !== '' &&
          typeof envelope['request_id'] === 'string' &&
          (answer === 'carried out' || code === 40001);
        if (!sound) wrong.push(`${method} ${path}: ${response.status} ${text.slice(0, 120)}`);
      }
    }
  }
  expect(wrong).toEqual([]);
}, 60_000);
