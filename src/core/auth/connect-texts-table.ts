/** Every sentence of the hosted connect pages, in one table by language. */
import type { ContractObjectName } from '../model/permissions.ts';

/** What a permission on one kind of object means to the person who gives it. */
interface ObjectText {
  name: string;
  why: string;
}

/** Failures as the customer sees them; many error codes are one of these. */
export type FailureKind =
  | 'denied'
  | 'link'
  | 'cookie'
  | 'account'
  | 'test'
  | 'reconnect'
  | 'setup'
  | 'platform'
  | 'other';

/** Both ends of a flow, by name. What is not known (the link was not readable) has a general word. */
export interface Names {
  workspace: string;
  platform: string;
}

interface FailureText {
  happened(names: Names): string;
  next(names: Names): string;
}

export interface ConnectTexts {
  /** Names for the product and the platform when the link did not tell. */
  unknown: Names;
  title(platform: string): string;
  heading(workspace: string, platform: string): string;
  reheading(workspace: string, platform: string): string;
  intro(workspace: string, platform: string): string;
  environment: Record<string, string>;
  asked: string;
  view: string;
  change: string;
  notAsked: string;
  notPassword(platform: string): string;
  notPayment: string;
  notPersonal: string;
  notWrite(workspace: string): string;
  revoke(platform: string): string;
  proceed(platform: string): string;
  connect: string;
  cancel: string;
  once: string;
  importIntro(platform: string, environment: string): string;
  sealed: string;
  failedTitle: string;
  doneTitle: string;
  doneText(workspace: string, platform: string): string;
  renewedTitle: string;
  unchanged: string;
  gained: string;
  lost: string;
  absent(workspace: string): string;
  /** An ad account by its id. */
  account(id: string): string;
  cancelledTitle: string;
  cancelledText: string;
  connectionId: string;
  reference: string;
  /** Before the words of the error table, which are for those who run the product. */
  forOperator: string;
  /** Before what the platform said itself. */
  platformSays(platform: string): string;
  failures: Record<FailureKind, FailureText>;
  poweredBy: string;
  objects: Record<ContractObjectName, ObjectText>;
}

const en: ConnectTexts = {
  unknown: { workspace: 'the product that sent you here', platform: 'the platform' },
  title: (platform) => `Connect ${platform}`,
  heading: (workspace, platform) => `${workspace} asks to connect to your ${platform} account`,
  reheading: (workspace, platform) => `${workspace} asks you to authorize your ${platform} connection again`,
  intro: (workspace, platform) =>
    `You continue to ${platform}, sign in there and choose what ${workspace} may use. Nothing is connected before you confirm.`,
  environment: {
    production: 'Live account',
    sandbox: 'Test environment of the platform: no real ads',
    simulator: 'Local simulator: no real platform, no real ads',
  },
  asked: 'What is asked for',
  view: 'View',
  change: 'View and change',
  notAsked: 'What is not asked for',
  notPassword: (platform) => `Your password: you sign in at ${platform} itself.`,
  notPayment: 'Your payment methods and invoices.',
  notPersonal: 'Your private messages and contacts.',
  notWrite: (workspace) => `Changes: ${workspace} asks to look only, not to create, change or delete anything.`,
  revoke: (platform) => `You can take the access back at any time in your ${platform} account.`,
  proceed: (platform) => `Continue to ${platform}`,
  connect: 'Connect',
  cancel: 'Cancel',
  once: 'This page works for ten minutes, in this browser.',
  importIntro: (platform, environment) =>
    `The ${environment} environment of ${platform} has no sign-in page. Paste the values that ${platform} shows you there.`,
  sealed: 'They are tested at once, encrypted, and never shown again.',
  failedTitle: 'Not connected',
  doneTitle: 'Connected',
  doneText: (workspace, platform) => `${workspace} can use your ${platform} account now. You can close this page.`,
  renewedTitle: 'Connected again',
  unchanged: 'What you allow is the same as before.',
  gained: 'New with this authorization',
  lost: 'No longer allowed',
  absent: (workspace) => `Asked for by ${workspace}, and not allowed`,
  account: (id) => `Ad account ${id}`,
  cancelledTitle: 'Cancelled',
  cancelledText: 'Nothing was connected. You can close this page.',
  connectionId: 'Connection',
  reference: 'Reference',
  forOperator: 'For those who run it:',
  platformSays: (platform) => `${platform} says:`,
  failures: {
    denied: {
      happened: ({ workspace, platform }) =>
        `You did not allow ${workspace} to use your ${platform} account, so nothing was connected.`,
      next: ({ workspace }) => `If that was not what you wanted, go back to ${workspace} and try again.`,
    },
    link: {
      happened: () => 'This link has been used already, is too old, or was opened in another browser.',
      next: ({ workspace }) =>
        `Go back to ${workspace} and start again. A link works once, in one browser, for ten minutes.`,
    },
    cookie: {
      happened: () => 'Your browser did not send the cookie that this page needs to tell it from others.',
      next: () => 'Allow cookies for this site, then open the link again.',
    },
    account: {
      happened: ({ platform }) => `You signed in with another ${platform} account than the one connected before.`,
      next: ({ workspace }) => `Go back to ${workspace} and sign in with the account that made the connection.`,
    },
    test: {
      happened: ({ platform }) => `You allowed the access, but ${platform} refused the first call made with it.`,
      next: ({ workspace }) =>
        `Go back to ${workspace} and try again with an account that may use the ad accounts you choose.`,
    },
    reconnect: {
      happened: () => 'This link for connecting again is too old, or belongs to another connection.',
      next: ({ workspace }) => `Ask ${workspace} for a new one.`,
    },
    setup: {
      happened: () => 'The connection is not set up correctly yet. You did nothing wrong.',
      next: ({ workspace }) => `Please tell ${workspace}, with the reference below.`,
    },
    platform: {
      happened: ({ platform }) => `The connection could not be finished: ${platform} does not answer as it should.`,
      next: ({ workspace }) => `Wait a few minutes, then go back to ${workspace} and try again.`,
    },
    other: {
      happened: () => 'Something went wrong on our side, so nothing was connected.',
      next: ({ workspace }) =>
        `Go back to ${workspace} and try again. If it fails again, tell them the reference below.`,
    },
  },
  poweredBy: 'Connections by polyad',
  objects: {
    organization: { name: 'Ad accounts', why: 'to list the accounts you choose, with name, currency and time zone' },
    campaign: { name: 'Campaigns', why: 'to show and manage budgets, goals and schedules' },
    insertionorder: { name: 'Insertion orders', why: 'to show and manage budgets and pacing' },
    group: { name: 'Ad groups', why: 'to show and manage targeting, bids and schedules' },
    ad: { name: 'Ads', why: 'to show and manage the ads themselves' },
    creative: { name: 'Creatives', why: 'to show and manage texts, images and videos of ads' },
    asset: { name: 'Images and videos', why: 'to use and upload media for ads' },
    promoted: { name: 'Promoted pages, apps and pixels', why: 'to choose what ads lead to' },
    target: { name: 'Audiences and targeting options', why: 'to choose who sees ads' },
    report: { name: 'Reports', why: 'to show spend, clicks, conversions and other results' },
  },
};

/** Languages that the wire contract's `lang` names. Those without a translation are answered in English, and say so. */
export const LANGUAGES = ['en', 'fr', 'es', 'it', 'pt', 'zh', 'hi'] as const;

const TABLE: Partial<Record<(typeof LANGUAGES)[number], ConnectTexts>> = { en };

/** The texts for a language and the language they are really in. */
export function textsFor(lang: string | undefined): { lang: string; texts: ConnectTexts } {
  const asked = LANGUAGES.find((language) => language === lang?.toLowerCase().slice(0, 2)) ?? 'en';
  const texts = TABLE[asked];
  return texts === undefined ? { lang: 'en', texts: en } : { lang: asked, texts };
}
