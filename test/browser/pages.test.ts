/**
 * The pages in a real browser: a person signs in, connects an ad account by clicking, declines, reads the reference. One
 * file, since the browser unpacks itself at the first launch. With POLYAD_SHOTS=<folder> every page is photographed.
 */
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContext, type Page, chromium as playwright } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DemoApp, startDemoApp } from '../support/demo-app.ts';
import { focusOf, overflowOf, problemsOf } from './checks.ts';

/** Flags for machines that run functions; here they would end the browser with the first window, or relax its rules. */
const UNWANTED = ['--single-process', '--no-zygote', '--disable-web-security', '--allow-running-insecure-content'];

let demo: DemoApp;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** Requests to hosts other than this machine, and what pages complain of: scripts, policies, missing files. */
let foreign: string[];
let complaints: string[];

beforeAll(async () => {
  demo = await startDemoApp();
  browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args.filter((flag) => !UNWANTED.includes(flag)), '--no-sandbox'],
    headless: true,
  });
});
afterAll(async () => {
  await browser?.close();
  await demo?.close();
});
beforeEach(() => open());
afterEach(() => context.close());

async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<void> {
  await context?.close();
  foreign = [];
  complaints = [];
  context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
  page = await context.newPage();
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.hostname !== '127.0.0.1') foreign.push(url.href);
  });
  // A failed status of the page itself is what some tests are about; the browser reports it as a failed resource.
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
}

async function signIn(key = demo.demo.apiKey): Promise<void> {
  await page.goto(`${demo.app.url}/dashboard`);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Our page for a fresh flow without pages of the caller. */
async function openConnectPage(query = 'env=simulator'): Promise<void> {
  const auth = `/unified/integration/auth/${demo.ready.workspace_id}/tiktokads?${query}`;
  await page.goto(await (await fetch(demo.app.url + auth)).text());
}

const connectSimulator = () => page.getByRole('link', { name: 'Connect TikTok Ads, simulator' });
const proceed = () => page.getByRole('button', { name: 'Continue to TikTok Ads' });
const textOf = () => page.locator('main').innerText();

describe('a person at the dashboard', () => {
  it('connects the two ad accounts that were ticked, and only these', async () => {
    await signIn();
    await connectSimulator().click();
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(
      'Demo asks to connect to your TikTok Ads account',
    );
    await proceed().click();
    for (const name of ['Acme US', 'Acme Deutschland', 'Acme Australia', 'Acme Outlet'])
      await page.getByRole('checkbox', { name }).uncheck();
    await page.getByRole('button', { name: 'Confirm' }).click();

    await page.getByRole('status').filter({ hasText: 'Connected.' }).waitFor();
    const row = page.getByRole('region', { name: 'Connections' }).locator('tbody tr').first();
    expect(await row.innerText()).toMatch(/Ada Admin · 2 ad accounts[\s\S]*healthy/);
    const id = await row.locator('code').innerText();
    expect(new URL(page.url()).searchParams.get('id')).toBe(id);
    const accounts: { name: string }[] = await demo.get(`/ads/${id}/organization`);
    expect(accounts.map(({ name }) => name).sort()).toEqual(['Acme Japan', 'Acme Kuwait']);
    expect([foreign, complaints]).toEqual([[], []]);
  });

  it('is told kindly when a key is wrong, and is not let in', async () => {
    await signIn('polyad_wrong');
    expect(await page.getByRole('alert').innerText()).toBe('The API key is unknown.');
    expect(page.url()).toBe(`${demo.app.url}/dashboard/sign-in`);
    expect(await page.getByLabel('API key').inputValue()).toBe('');
    await page.goto(`${demo.app.url}/dashboard`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it.each([
    [
      'declines at the platform',
      async () => {
        await proceed().click();
        await page.getByRole('button', { name: 'Decline' }).click();
      },
    ],
    ['cancels before the platform', () => page.getByRole('button', { name: 'Cancel' }).click()],
  ])('who %s comes back to the dashboard, which says so', async (_what, act) => {
    const before = (await demo.get('/unified/connection')).length;
    await signIn();
    await connectSimulator().click();
    await act();
    const notice = page.getByRole('status');
    expect(await notice.innerText()).toBe('Not connected: the access was not allowed. Press Connect to try again.');
    expect((await demo.get('/unified/connection')).length).toBe(before);
  });

  it('signs out', async () => {
    await signIn();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    await page.goto(`${demo.app.url}/dashboard`);
    await page.getByLabel('API key').waitFor();
  });
});

describe('a customer', () => {
  it('who declines is spoken to, and told how to go on', async () => {
    await openConnectPage();
    await proceed().click();
    await page.getByRole('button', { name: 'Decline' }).click();
    await page.getByRole('heading', { name: 'Not connected' }).waitFor();
    const said = await textOf();
    expect(said).toContain('You did not allow Demo to use your TikTok Ads account, so nothing was connected.');
    expect(said).toContain('go back to Demo and try again');
    expect(said).not.toMatch(/the customer/i);
  });

  it('is told who has the account now, and that the page can be closed', async () => {
    await openConnectPage();
    await proceed().click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('heading', { name: 'Connected' }).waitFor();
    expect(await textOf()).toContain('Demo can use your TikTok Ads account now. You can close this page.');
  });

  it('gets through with the keyboard alone', async () => {
    await openConnectPage();
    await page.keyboard.press('Tab');
    expect(await focusOf(page)).toBe('Continue to TikTok Ads');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Confirm' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Connected' }).waitFor();
  });

  it('with a link that was used sees what to do, not what an API client should do', async () => {
    await openConnectPage();
    const link = page.url();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: 'Cancelled' }).waitFor();
    await page.goto(link);
    expect(await textOf()).toContain('Go back to the product that sent you here and start again.');
  });
});

describe('the reference', () => {
  it('shows every operation without asking another host for anything', async () => {
    await page.goto(`${demo.app.url}/docs/`);
    await page.getByText('List organizations').first().waitFor();
    await page
      .getByRole('button', { name: /Campaign/ })
      .first()
      .click();
    await page.getByText('List campaigns').first().waitFor();
    expect(await page.getByText(/Deploy|Ask AI|Generate SDK|Share/).count()).toBe(0);
    await photograph('reference');
    expect([foreign, complaints]).toEqual([[], []]);
  });
});

/** Every page of ours and how to get there. */
const PAGES: Record<string, () => Promise<unknown>> = {
  landing: () => page.goto(`${demo.app.url}/`),
  'sign-in': () => signIn('wrong'),
  dashboard: () => signIn(),
  errors: () => page.goto(`${demo.app.url}/docs/errors`),
  connect: () => openConnectPage(),
  'connect-read-only': () => openConnectPage('env=simulator&scopes=ads_campaign_read,ads_report_read'),
  import: () => openConnectPage('env=sandbox'),
  consent: async () => {
    await openConnectPage();
    await proceed().click();
  },
  declined: async () => {
    await openConnectPage();
    await proceed().click();
    await page.getByRole('button', { name: 'Decline' }).click();
  },
  connected: async () => {
    await openConnectPage();
    await proceed().click();
    await page.getByRole('button', { name: 'Confirm' }).click();
  },
  cancelled: async () => {
    await openConnectPage();
    await page.getByRole('button', { name: 'Cancel' }).click();
  },
  'bad-link': () => page.goto(`${demo.app.url}/connect/nonsense`),
};

async function photograph(name: string): Promise<void> {
  const folder = process.env['POLYAD_SHOTS'];
  if (folder !== undefined)
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: name !== 'reference' });
}

describe('every page', () => {
  for (const [look, options] of [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['phone', { viewport: { width: 375, height: 700 } }],
  ] as const)
    it(`can be read and used: ${look}`, async () => {
      const found: Record<string, unknown> = {};
      for (const [name, go] of Object.entries(PAGES)) {
        await open(options);
        await go();
        await page.getByRole('heading', { level: 1 }).waitFor();
        await photograph(`${name}-${look}`);
        const problems = [...(await problemsOf(page)), ...complaints, ...foreign];
        const overflow = await overflowOf(page);
        if (overflow > 0) problems.push(`${overflow} pixels wider than the window`);
        if (problems.length > 0) found[name] = problems;
      }
      expect(found).toEqual({});
    });
});
