import type { Endpoint, Page } from '../types.ts';
import { endpoints as advertiser } from './advertiser.ts';
import { endpoints as bc } from './bc.ts';
import { endpoints as oauth } from './oauth.ts';
import { endpoints as report, pages as reportPages } from './report.ts';
import { endpoints as term } from './term.ts';
import { endpoints as user } from './user.ts';

/** Every endpoint that the simulator carries out. The rest of the catalogue answers "no permission". */
export const endpoints: readonly Endpoint[] = [...oauth, ...advertiser, ...bc, ...user, ...term, ...report];

/** What is served outside `/open_api/`, besides the authorize pages. */
export const pages: readonly Page[] = [...reportPages];
