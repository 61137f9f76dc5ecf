/**
 * Limits in the platforms' documents that no waiting helps against: sizes of requests, pages, files and windows, and
 * numbers of objects. Each with the place of the contract in which a platform's module states it and the core keeps to it.
 * Lengths of texts and lists of values are rules of single fields (`field`).
 */

/** Where a kind of limit is kept: a file, and a word in it. */
export const PLACES = {
  /** Rows of a page: asked for in the recipe. */
  page: ['src/core/connector/paging.ts', 'maxSize'],
  /** Objects in one write that the core puts together. */
  batch: ['src/core/connector/object-spec.ts', 'maxIds'],
  /** Conversion events in one request. */
  events: ['src/core/connector/conversion-spec.ts', 'maxEvents'],
  /** Age of conversion events. */
  eventAge: ['src/core/connector/conversion-spec.ts', 'maxAgeMs'],
  /** Members of an audience in one request or file. */
  members: ['src/core/connector/audience-spec.ts', 'maxRows'],
  /** Bytes of a file. */
  file: ['src/core/connector/media-spec.ts', 'maxBytes'],
  /** Days in one report. */
  days: ['src/core/connector/report-spec.ts', 'maxDays'],
  /** How far back reports go. */
  history: ['src/core/connector/report-spec.ts', 'maxAgeDays'],
  /** Ids, rows and columns of one report call, and truncation: the module's own business while it fetches. */
  report: ['src/core/connector/report-spec.ts', 'fetch(ctx'],
  /** Ids in one read: the module's operation splits. */
  read: ['src/core/connector/object-spec.ts', 'list?: ListOperation'],
  /** A value of one member: refused before anything is sent. */
  field: ['src/core/connector/fields.ts', 'required'],
  /** Objects that may exist: the platform refuses, and the error says that waiting does not help. */
  stock: ['src/core/errors/errors-table.ts', 'platform_quota_reached'],
  /** A request that is too large for the platform as a whole: refused by it, never repeated. */
  body: ['src/core/errors/errors-table.ts', 'platform_rejected'],
  /** The same creation within a moment is one: the aid of writes that are done once. */
  aid: ['src/core/connector/object-spec.ts', 'idempotency?: CreateIdempotency'],
  /** A result that is not ready yet, or no longer: asked again after a pause. */
  wait: ['src/core/errors/errors-table.ts', 'platform_not_ready'],
  /** Requests of callers to this server. */
  server: ['src/core/config.ts', 'bodyLimit'],
} as const satisfies Record<string, readonly [file: string, word: string]>;

export interface OtherLimit {
  platform: string;
  says: string;
  held: keyof typeof PLACES;
}

const of = (platform: string, ...rows: readonly (readonly [says: string, held: keyof typeof PLACES])[]): OtherLimit[] =>
  rows.map(([says, held]) => ({ platform, says, held }));

export const OTHER_LIMITS: readonly OtherLimit[] = [
  ...of(
    'tiktok',
    ['pages of at most 1,000 (100 identities, audiences, Smart+ ads; 50 Business Center, tt_video; 20 pixels)', 'page'],
    ['100 ids per filter and per advertiser/info; 60 videos per file/video/ad/info', 'read'],
    ['status changes of 20 objects', 'batch'],
    ['1 to 20 creatives per ad/create; all or none (unverified)', 'field'],
    [
      'event/track: 1,000 events, one more and all are refused; generation 1.0: 50 (app and offline unverified)',
      'events',
    ],
    ['events count up to 28 days after a click (1.0: 7 days, unverified)', 'eventAge'],
    ['reports: 20,000 ids per query, the newest first (X-Tt-Ads-Throttle); 5 advertisers', 'report'],
    ['reports: 30 days by day, 1 day by hour, 365 else', 'days'],
    ['images under 50 MB and 3,686,400 px, videos to 500 MB, temporary files to 100 MB', 'file'],
    ['50 files per audience are advised; 100 days of its history', 'members'],
    ['40502 ads, adgroup/quota, asset/bind/quota; 10,000 ads per identity; 30 Smart+ ads per ad group', 'stock'],
    ['campaign and ad group request_id: about 10 seconds', 'aid'],
    ['40201 task not ready, 40901 video being transcoded; report links last an hour', 'wait'],
    ['10 redirect addresses per app', 'stock'],
  ),
  ...of(
    'meta',
    ['pages: no maximum published; too large ones fail with code 1 and are halved', 'page'],
    ['batch of 50 calls; 51 children copied at once, 3 in one answer', 'batch'],
    ['1,000 events; one bad event refuses all', 'events'],
    ['events of 7 days, 62 from physical stores', 'eventAge'],
    ['10,000 members per call', 'members'],
    ['37 months of reports (3018), reach with breakdowns 13', 'history'],
    ['async insights may be skipped or too large (1504045); a run is kept 30 days', 'report'],
    ['images of 30 MB (unverified)', 'file'],
    ['6,000 live campaigns, ad sets and ads, 100,000 archived of each, 50 live ads per ad set', 'stock'],
    ['25 accounts per person, 25 people per account; 10 + 1 system users', 'stock'],
  ),
  ...of(
    'google-ads',
    ['pages of 10,000 rows, fixed', 'page'],
    ['10,000 changes per request, 100 actions, 1 for billing', 'batch'],
    ['2,000 conversions or events per request, 10 identifiers each', 'events'],
    ['10,000 members per request', 'members'],
    ['answers of 64 MB over gRPC', 'report'],
    ['37 months by day, 11 years by month; change_event: 30 days and 10,000 rows (unverified)', 'history'],
    ['images of 5,120 KB (unverified)', 'file'],
    ['50 accounts per hierarchy of test accounts', 'stock'],
  ),
  ...of(
    'dv360',
    ['pages of 200 (insertion orders and ads: 100; queries: 100)', 'page'],
    ['filters of 500 characters', 'read'],
    ['images 10 MB, archives 200 MB, videos 1 GB', 'file'],
    ['reports: asked for from 5 seconds to 5 minutes apart, about 100 times', 'wait'],
  ),
  ...of(
    'cm360',
    ['pages of 1,000 objects, 10 reports (unverified)', 'page'],
    ['1,000 rows of ad-hoc reports', 'report'],
    ['1,000 conversions per request (unverified); Data Manager 2,000', 'events'],
    ['uploads of 1 GiB', 'file'],
    ['24 months of reports by relative range', 'history'],
    ['activeAdsLimitTier of an account', 'stock'],
  ),
  ...of(
    'sa360',
    ['pages of 10,000 rows (unverified)', 'page'],
    ['37 months by day', 'history'],
    ['conversions: size of a batch not documented; 6 hours after the visit', 'events'],
    ['v23: 10,000 changes per request (Google Ads; unverified)', 'batch'],
  ),
  ...of(
    'amazon',
    ['maxResults: 5,000 campaigns and targets, 1,000 ad groups and ads, 100 accounts and Sponsored Brands', 'page'],
    [
      '1,000 objects per write of Sponsored Products and v1, 10 of Sponsored Brands, 100 of Sponsored Display (unverified)',
      'batch',
    ],
    ['1,000 ids per filter', 'read'],
    ['500 events, 15 match keys each', 'events'],
    ['reports of 31 days mostly, kept 60 to 95 days; up to three hours to make', 'days'],
    ['the same report asked for again while it is made: 425', 'wait'],
    ['v1 reports: 2,000 accounts, 1,000 fields, 100 parts', 'report'],
    ['413 CONTENT_TOO_LARGE', 'body'],
    ['entityQuotaError, TOTAL_RESOURCE_LIMIT_EXCEEDED', 'stock'],
    ['throttledError of single items in a 207: the item is asked for again', 'wait'],
  ),
  ...of(
    'criteo',
    ['pages of 100 audiences', 'page'],
    ['100,000 rows per report, 5 advertisers at ad level', 'report'],
    ['2 years of reports', 'history'],
    ['413 too large', 'body'],
    ['5 pairs of credentials per app', 'stock'],
  ),
  ...of(
    'linkedin',
    ['pages of 1,000, creatives 100', 'page'],
    ['15,000 elements and 20 metrics per adAnalytics', 'report'],
    ['5,000 events per batch; one bad event refuses all', 'events'],
    ['events of 90 days', 'eventAge'],
    ['5,000 members per batch; a new segment is there after 5 seconds to 2 minutes', 'members'],
    ['10 years of reports, 2 of demographics', 'history'],
    ['queries of 4,000 characters are tunnelled (414)', 'read'],
    [
      '5,000 campaigns, 15,000 creatives, 1,000 active campaigns; 1,500 subscriptions; Development: 5 ad accounts',
      'stock',
    ],
  ),
  ...of(
    'microsoft',
    ['100 campaigns, 1,000 ad groups, 50 ads, 1,000 keywords, 100 criterions per call; reads of 20 ads', 'batch'],
    ['pages of 1,000 accounts', 'page'],
    ['1,000 events or offline conversions', 'events'],
    ['events of 7 days, offline conversions of 90', 'eventAge'],
    ['bulk uploads of 100 MB or 4 million rows (sandbox 20,000)', 'file'],
    ['36 months of most reports, hourly 6; report links last 5 minutes', 'history'],
    ['LastSyncTimeInUTC of 30 days', 'read'],
    ['20,000 ad groups per campaign; 1045, 1117, 1213', 'stock'],
  ),
  ...of(
    'openai-ads',
    ['pages of 500, insights 2,000', 'page'],
    ['bulk jobs of 1,000 operations and 16 MiB', 'batch'],
    ['1,000 events; one bad event refuses all', 'events'],
    ['events of 7 days', 'eventAge'],
    ['audience files of 500,000,000 bytes', 'members'],
    ['hourly and product rows of 30 days, others of 365', 'history'],
    ['5,000 campaigns, ad groups and ads per account', 'stock'],
    ['Idempotency-Key of 1 to 255 characters', 'aid'],
  ),
  ...of(
    'pinterest',
    ['pages of 250', 'page'],
    ['1 to 30 items per write', 'batch'],
    ['250 ids per filter', 'read'],
    ['1,000 events', 'events'],
    ['reports of 90 days, by hour 3; async 186', 'days'],
    ['90 days back, by hour 8; async 914; links last 5 minutes', 'history'],
    ['images of 20 MB, videos of 2 GB (unverified)', 'file'],
    ['50 ad accounts per user; 70 ad groups per campaign budget', 'stock'],
  ),
  ...of(
    'reddit',
    ['pages of 1,000, posts and profiles 100', 'page'],
    ['200 ids per filter', 'read'],
    ['1,000 events', 'events'],
    ['events of 7 days', 'eventAge'],
    ['2,500 members per call', 'members'],
    ['24 months of reports; 3 breakdowns', 'report'],
  ),
  ...of(
    'snapchat',
    ['pages of 50 to 1,000', 'page'],
    ['10 creatives or media, 15 accounts or segments, 30 campaigns, ad squads or ads per write', 'batch'],
    ['2,000 ads read by ids', 'read'],
    ['2,000 events', 'events'],
    ['events of 37 days (28 by another source)', 'eventAge'],
    ['reports of 32 days by day, 7 by hour', 'days'],
    ['uploads of 32 MB, in parts 1 GB', 'file'],
  ),
  ...of(
    'spotify',
    ['pages of 50', 'page'],
    ['reports of 90 days by day; by hour within 2 weeks', 'days'],
    ['uploads of 20 MB, in parts 1,000 sections', 'file'],
    ['3 tokens for conversions; 25 users per app before it is extended', 'stock'],
    ['422 too little data for insights', 'body'],
  ),
  ...of(
    'thetradedesk',
    ['pages of 100 to 1,000 rows are advised', 'page'],
    ['100 advertisers per delta', 'read'],
    ['real-time events of 28.6 MB, offline ones of about 2.5 MB', 'events'],
    ['clones of 500 ad groups', 'batch'],
    ['hourly 30 days, daily 1 year', 'history'],
    ['413 too large', 'body'],
  ),
  ...of(
    'x',
    ['pages of 1,000', 'page'],
    ['40 campaigns or line items, 500 criteria per batch, all or none; 50 posts promoted', 'batch'],
    ['200 ids per filter', 'read'],
    ['500 events', 'events'],
    ['2,500 operations and 5 MB of members', 'members'],
    ['reports: 20 ids, one placement', 'report'],
    ['reports of 7 days; async 90, in segments 45', 'days'],
    ['videos of 500 MB', 'file'],
    ['200 campaigns (to 8,000), 100 line items per campaign; legacy apps: 5 tokens', 'stock'],
    ['423 LOCK_ACQUISITION_TIMEOUT', 'wait'],
  ),
  ...of('unified', ['100 rows per page', 'page'], ['100 items per bulk call (third-party, unconfirmed)', 'server']),
];
