import { eventsManager } from '../events-page.ts';
import { page as media } from '../files.ts';
import type { Endpoint, Page } from '../types.ts';
import { endpoints as ad } from './ad.ts';
import { endpoints as adgroup } from './adgroup.ts';
import { endpoints as advertiser } from './advertiser.ts';
import { endpoints as app } from './app.ts';
import { endpoints as appEvent } from './app-event.ts';
import { endpoints as audience } from './audience.ts';
import { endpoints as audienceUse } from './audience-use.ts';
import { endpoints as bc } from './bc.ts';
import { endpoints as bcAsset } from './bc-asset.ts';
import { endpoints as bcPixel } from './bc-pixel.ts';
import { endpoints as brandSafety } from './brand-safety.ts';
import { endpoints as campaign } from './campaign.ts';
import { endpoints as catalogPage } from './catalog-page.ts';
import { endpoints as changelog } from './changelog.ts';
import { endpoints as comment } from './comment.ts';
import { endpoints as contextual } from './contextual.ts';
import { endpoints as creative } from './creative.ts';
import { endpoints as customConversion } from './custom-conversion.ts';
import { endpoints as event } from './event.ts';
import { endpoints as eventLegacy } from './event-legacy.ts';
import { endpoints as eventSet } from './event-set.ts';
import { endpoints as extended, pages as extendedPages } from './extended.ts';
import { endpoints as file } from './file.ts';
import { endpoints as fileTemporary } from './file-temporary.ts';
import { endpoints as fileUpload } from './file-upload.ts';
import { endpoints as identity } from './identity.ts';
import { endpoints as lead } from './lead.ts';
import { endpoints as oauth } from './oauth.ts';
import { endpoints as optimizerRule } from './optimizer-rule.ts';
import { endpoints as pixel } from './pixel.ts';
import { endpoints as pixelEvent } from './pixel-event.ts';
import { endpoints as report, pages as reportPages } from './report.ts';
import { endpoints as savedAudience } from './saved-audience.ts';
import { endpoints as segment } from './segment.ts';
import { endpoints as splitTest } from './split-test.ts';
import { endpoints as subscription } from './subscription.ts';
import { endpoints as targetingSearch } from './targeting-search.ts';
import { endpoints as term } from './term.ts';
import { endpoints as tools } from './tools.ts';
import { endpoints as ttVideo } from './tt-video.ts';
import { endpoints as user } from './user.ts';

/** Every endpoint that the simulator carries out. The rest of the catalogue answers "no permission". */
export const endpoints: readonly Endpoint[] = [
  ...oauth,
  ...advertiser,
  ...bc,
  ...bcAsset,
  ...user,
  ...term,
  ...report,
  ...campaign,
  ...adgroup,
  ...ad,
  ...identity,
  ...ttVideo,
  ...extended,
  ...file,
  ...fileTemporary,
  ...fileUpload,
  ...contextual,
  ...creative,
  ...event,
  ...eventLegacy,
  ...pixel,
  ...app,
  ...appEvent,
  ...customConversion,
  ...eventSet,
  ...bcPixel,
  ...pixelEvent,
  ...changelog,
  ...splitTest,
  ...brandSafety,
  ...optimizerRule,
  ...comment,
  ...subscription,
  ...lead,
  ...segment,
  ...savedAudience,
  ...audienceUse,
  ...audience,
  ...tools,
  ...targetingSearch,
  ...catalogPage,
];

/** What is served outside `/open_api/`, besides the authorize pages. */
export const pages: readonly Page[] = [...reportPages, media, ...extendedPages, eventsManager];
