/**
 * The way through TikTok's app review, as data. Official facts: TikTok API for Business docs (register as a developer,
 * create an app, app review 1738373141733378; permission scope 1753986142651394; sandbox 1738855331457026; rate limits).
 * Where an integrator's guide of 2026 asks for more than TikTok's documents do, the step says so (`origin`).
 */
import type { LaunchQuestion, LaunchSpec, LaunchStep } from '../../core/connector/launch-spec.ts';
import { SCOPE_ENDPOINTS } from './scope-endpoints-table.ts';
import { SCOPES } from './scopes-table.ts';

const PORTAL = 'business-api.tiktok.com/portal';

const questions: readonly LaunchQuestion[] = [
  {
    key: 'organization.name',
    text: 'Registered name of the company',
    kind: 'text',
    help: 'TikTok registers companies, not persons.',
  },
  {
    key: 'organization.verification',
    text: 'State of the developer registration',
    kind: 'choice',
    choices: ['not_started', 'submitted', 'approved', 'refused'],
    passes: ['approved'],
    fails: ['refused'],
    help: `Register under ${PORTAL} with a company-domain e-mail address and website; about three working days. Until then calls answer code 40124.`,
  },
  {
    key: 'business.verification',
    text: 'State of the business verification',
    kind: 'choice',
    choices: ['not_needed', 'not_started', 'submitted', 'approved', 'refused'],
    passes: ['approved', 'not_needed'],
    fails: ['refused'],
    help: 'Recommended for software used by other companies; higher access levels may want it. It takes days, so start early.',
  },
  { key: 'app.name', text: 'Name of the app, as customers see it', kind: 'text', help: 'The consent page shows it.' },
  {
    key: 'app.use_case',
    text: 'What the app does with the data, for whom',
    kind: 'text',
    help: 'The reviewer compares it with the permissions. Say who your customers are, what you show them, what you change on their behalf.',
  },
  { key: 'app.website', text: 'Website', kind: 'url', help: 'The reviewer opens it.' },
  {
    key: 'app.privacy_policy',
    text: 'Address of the privacy policy',
    kind: 'url',
    help: 'The reviewer opens and reads it.',
  },
  {
    key: 'app.redirect_uris',
    text: 'Redirect addresses registered in the app',
    kind: 'urls',
    help: 'All of them, as they stand in the app.',
  },
  {
    key: 'app.scopes',
    text: 'Permissions ticked in the app',
    kind: 'scopes',
    help: 'Numbers of the permission tree, such as 200, 201. They belong to the app, not to the authorize address.',
  },
  {
    key: 'traffic.customers',
    text: 'Customers expected within a year',
    kind: 'number',
    optional: true,
    help: 'Scales the measured traffic to the access level that is needed.',
  },
  {
    key: 'data.retention',
    text: 'What your product itself keeps, and for how long',
    kind: 'text',
    help: 'polyad answers for what polyad keeps.',
  },
  {
    key: 'data.deletion',
    text: 'How your product deletes a customer’s data on request',
    kind: 'text',
    help: 'polyad answers for what polyad keeps.',
  },
  {
    key: 'data.contact',
    text: 'Contact for questions of security and privacy',
    kind: 'text',
    help: 'An address that is read.',
  },
];

const steps: readonly LaunchStep[] = [
  {
    id: 'organization',
    title: 'Register the company as a developer',
    what: `Sign in at ${PORTAL} with a TikTok for Business account and fill in the developer profile. developers.tiktok.com is another product, whose apps cannot use the Marketing API.`,
    origin: 'both',
    source: 'TikTok API for Business portal; guides name developers.tiktok.com, which is wrong for the Marketing API',
    checks: ['answers'],
    questions: ['organization.name', 'organization.verification', 'business.verification'],
  },
  {
    id: 'app',
    title: 'Create the app',
    what: 'Name, description, website, privacy policy and redirect addresses: the review reads all of them.',
    origin: 'both',
    source: 'My Apps; guide step 2',
    checks: ['answers', 'redirects', 'website', 'privacy_policy'],
    questions: ['app.name', 'app.use_case', 'app.website', 'app.privacy_policy', 'app.redirect_uris'],
  },
  {
    id: 'scopes',
    title: 'Ask for what is used, and nothing else',
    what: 'Permissions are ticked on the app. Wide ones slow the review down, and a later change means another review and another authorization by every customer.',
    origin: 'both',
    source: 'TikTok docs 1753986142651394; guide: least-privilege scopes',
    checks: ['answers', 'scopes'],
    questions: ['app.scopes'],
  },
  {
    id: 'develop',
    title: 'Build against simulator and sandbox',
    what: 'The sandbox is a host of its own with one ad account per app, 21 endpoints and no delivery; the simulator has the rest.',
    origin: 'both',
    source: 'TikTok docs 1738855331457026; guide step 3',
    checks: ['rehearsed', 'sandbox', 'refusals'],
    questions: [],
  },
  {
    id: 'authorization',
    title: 'Run the authorization flow',
    what: 'Consent, code (one hour, once), exchange, and the first call with the token, from a link that a customer opens. Tokens of the Marketing API have no expiry; they end when they are withdrawn.',
    origin: 'both',
    source: 'TikTok docs 1738373141733378; guide steps 4 and 5',
    checks: ['consent', 'https'],
    questions: [],
  },
  {
    id: 'revocation',
    title: 'Handle a withdrawn authorization',
    what: 'TikTok tells it inside an HTTP 200 (code 40105, also 40102 and 40104), not by 401 or 403. Calls must stop and the customer must be asked to connect again.',
    origin: 'both',
    source: 'TikTok docs, return codes 1737172488964097; the guide’s 401/403 is not what TikTok answers',
    checks: ['revocation'],
    questions: [],
  },
  {
    id: 'data_security',
    title: 'Answer for the data',
    what: 'Where tokens lie, how they are encrypted, how long data is kept, how it is deleted, who has access.',
    origin: 'guide',
    source: 'guide step 7: data-security compliance',
    checks: ['answers', 'storage'],
    questions: ['data.retention', 'data.deletion', 'data.contact'],
  },
  {
    id: 'quota',
    title: 'Know the access level that is needed',
    what: 'Basic carries 10 calls a second, 600 a minute and 864,000 a day for the whole app. Higher levels are applied for one at a time, under App Detail > Authorization.',
    origin: 'official',
    source: 'TikTok docs, rate limits (Basic, Advanced, Premium, Ultimate)',
    checks: ['quota'],
    questions: ['traffic.customers'],
  },
  {
    id: 'production',
    title: 'Submit, then go to production',
    what: 'Send the dossier with the app. When it is approved, store the production app; every customer authorises there anew.',
    origin: 'both',
    source: 'My Apps; guide step 7',
    checks: ['credentials'],
    questions: [],
  },
];

/** The way to production access at TikTok. */
export const launch: LaunchSpec = {
  portal: { name: 'TikTok API for Business', url: `https://${PORTAL}` },
  steps,
  questions,
  scopes: SCOPES,
  scopeOperations: SCOPE_ENDPOINTS,
  // TikTok accepts localhost; a production review of a product that customers use does not (guide).
  redirects: { most: 10, localhostIn: ['sandbox'] },
  // TikTok publishes no list of what a policy must say (unverified); this is what its review is said to look for.
  policy: [
    {
      id: 'data',
      says: 'the personal data that is collected',
      words: ['personal data', 'personal information', 'information we collect', 'data we collect'],
    },
    {
      id: 'use',
      says: 'what the data is used for',
      words: ['we use', 'purpose', 'how we process', 'is used to', 'are used to'],
    },
    { id: 'sharing', says: 'with whom data is shared', words: ['share', 'third part', 'disclose', 'processor'] },
    {
      id: 'retention',
      says: 'how long data is kept',
      words: ['retain', 'retention', 'how long', 'we keep', 'stored for'],
    },
    { id: 'deletion', says: 'how data is deleted on request', words: ['delete', 'deletion', 'erase', 'erasure'] },
    { id: 'contact', says: 'whom to ask', words: ['contact', '@'] },
  ],
  levels: [
    { name: 'Basic', perSecond: 10, perMinute: 600, perDay: 864_000 },
    { name: 'Advanced', perSecond: 20, perMinute: 1_200, perDay: 1_728_000 },
    { name: 'Premium', perSecond: 30, perMinute: 1_800, perDay: 2_592_000 },
    { name: 'Ultimate', perSecond: 50, perMinute: 3_000, perDay: 4_320_000 },
  ],
  timeline: [
    {
      what: 'Developer registration',
      days: [2, 4],
      source: 'TikTok API for Business portal: about three working days',
    },
    { what: 'Business verification, where it is wanted', days: [2, 10], source: 'guide: can take days' },
    { what: 'App review', days: [2, 3], source: 'TikTok API for Business portal: two to three working days' },
    { what: 'Corrections and a second review', days: [0, 15], source: 'guide: days to weeks in all' },
  ],
  demo: [
    'Open the dashboard and choose Connect: the consent page lists what is asked for, in words.',
    'Authorise with a TikTok for Business account that has a role on an ad account, and come back.',
    'List campaigns of the connection: the data shown is the customer’s own.',
    'Read a report of the last seven days for the same ad account.',
    'Create a campaign, paused, with a small budget; look at it in TikTok Ads Manager; delete it.',
    'Withdraw the authorization in TikTok for Business, and list campaigns again: the call is refused with the way to connect again, and no further call reaches TikTok.',
    'Remove the connection: its tokens are destroyed.',
  ],
  scopeChange: 'Changing permissions means another review by TikTok, and every customer must authorise again.',
};
