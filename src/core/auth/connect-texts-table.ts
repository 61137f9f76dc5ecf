/** Every sentence of the hosted connect pages, in one table by language. */
import type { ObjectName } from '../model/permissions.ts';

/** What a permission on one kind of object means to the person who gives it. */
interface ObjectText {
  name: string;
  why: string;
}

export interface ConnectTexts {
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
  cancelledTitle: string;
  cancelledText: string;
  connectionId: string;
  reference: string;
  poweredBy: string;
  objects: Record<ObjectName, ObjectText>;
}

const en: ConnectTexts = {
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
  cancelledTitle: 'Cancelled',
  cancelledText: 'Nothing was connected. You can close this page.',
  connectionId: 'Connection',
  reference: 'Reference',
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
