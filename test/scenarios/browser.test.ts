/** The pages in a real browser that has no internet: the reference, the status page, and a connect flow by clicking. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Demo, openDemo } from '../../src/app/demo.ts';
import { createLog } from '../../src/app/log.ts';
import { type App, startApp } from '../../src/app/start.ts';
import { loadConfig } from '../../src/core/config.ts';

let app: App;
let demo: Demo;
let dataDir: string;
let browser: Browser;
let page: Page;
/** Requests to hosts that are not this machine, and complaints of the page (scripts, policies, missing files). */
let foreign: string[];
let complaints: string[];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polyad-browser-'));
  const config = loadConfig({ POLYAD_DATA_DIR: dataDir, POLYAD_PORT: '0', POLYAD_SIMULATOR_PORT: '0' });
  app = await startApp({ config, log: createLog('silent') });
  demo = await openDemo(app);
  browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: chromium.args,
    headless: true,
  });
});
afterAll(async () => {
  await browser?.close();
  await app?.close(1000);
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(async () => {
  foreign = [];
  complaints = [];
  page = await browser.newPage();
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.hostname !== '127.0.0.1') foreign.push(url.href);
  });
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
});

it('the reference shows every operation, and asks no other host for anything', async () => {
  await page.goto(`${app.url}/docs/`);
  await page.getByText('List organizations').first().waitFor();
  await page
    .getByRole('button', { name: /Campaign/ })
    .first()
    .click();
  await page.getByText('List campaigns').first().waitFor();
  expect(await page.getByText(/Deploy|Ask AI|Generate SDK/).count()).toBe(0);
  expect(foreign).toEqual([]);
  expect(complaints).toEqual([]);
});

it('a person signs in, connects an account by clicking through, and finds it on the status page', async () => {
  await page.goto(`${app.url}/dashboard`);
  await page.getByLabel('API key').fill(demo.apiKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Connections' }).waitFor();
  const rows = page.locator('table').first().locator('tbody tr');
  const before = await rows.count();
  await page.getByRole('link', { name: 'Connect TikTok Ads, simulator' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('Connected.').waitFor();
  expect(page.url().startsWith(`${app.url}/dashboard?`)).toBe(true);
  expect(await rows.count()).toBe(before + 1);
  expect(await rows.first().textContent()).toContain('healthy');
  expect(foreign).toEqual([]);
  expect(complaints).toEqual([]);
});

it('cancelling brings the person back with the reason', async () => {
  await page.goto(`${app.url}/dashboard`);
  await page.getByLabel('API key').fill(demo.apiKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'Connect TikTok Ads, simulator' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText(/^Not connected:/).waitFor();
  expect(complaints).toEqual([]);
});
