/** What every page must offer to everyone, asked of the page in the browser. */
import type { Page } from 'playwright-core';
import { focusedText, pageOverflow, pageProblems } from './in-page.js';

/** Smallest contrast of normal text to its ground (WCAG 2.2, 1.4.3, level AA). */
const CONTRAST = 4.5;

/**
 * What is wrong with the page: language, title, one first heading, names of controls, texts of images, scopes of table
 * heads, parts that scroll without the keyboard, contrast. Empty = nothing found.
 */
export const problemsOf = (page: Page): Promise<string[]> => page.evaluate(pageProblems, CONTRAST);

/** How many pixels the page is wider than the window. */
export const overflowOf = (page: Page): Promise<number> => page.evaluate(pageOverflow);

/** The text of what has the focus. */
export const focusOf = (page: Page): Promise<string> => page.evaluate(focusedText);
