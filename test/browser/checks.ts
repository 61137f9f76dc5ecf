/** What every page must offer to everyone, asked of the page in the browser. */
import type { Page } from 'playwright-core';

/** Smallest contrast of normal text to its ground (WCAG 2.2, 1.4.3, level AA). */
const CONTRAST = 4.5;

/**
 * What is wrong with the page for people who use a screen reader, a keyboard or their eyes: language, title, one first
 * heading, names of controls, texts of images, contrast. Empty = nothing found.
 */
export function problemsOf(page: Page): Promise<string[]> {
  return page.evaluate((least) => {
    const problems: string[] = [];
    if (document.documentElement.lang === '') problems.push('no language');
    if (document.title.trim() === '') problems.push('no title');
    if (document.querySelectorAll('h1').length !== 1) problems.push(`${document.querySelectorAll('h1').length} h1`);
    if (document.querySelectorAll('main').length !== 1) problems.push('no single main part');

    const levels = [...document.querySelectorAll('h1,h2,h3,h4')].map((heading) => Number(heading.tagName[1]));
    levels.forEach((level, index) => {
      if (index > 0 && level > (levels[index - 1] as number) + 1) problems.push(`a heading skips to h${level}`);
    });
    for (const image of document.querySelectorAll('img'))
      if (!image.hasAttribute('alt')) problems.push('an img without alt');
    for (const field of document.querySelectorAll<HTMLInputElement>('input:not([type=hidden])'))
      if ((field.labels?.[0]?.textContent ?? '').trim() === '') problems.push(`input ${field.name} without label`);
    for (const control of document.querySelectorAll('a,button')) {
      const name = (control.textContent ?? '').trim() || control.getAttribute('aria-label');
      if (!name) problems.push(`a ${control.tagName} without a name`);
    }
    for (const head of document.querySelectorAll('th'))
      if (!head.hasAttribute('scope')) problems.push('a th without scope');
    for (const area of document.querySelectorAll('.table'))
      if (area.getAttribute('tabindex') !== '0') problems.push('a part that scrolls and has no tabindex');

    type Colour = [red: number, green: number, blue: number, alpha: number];
    const colour = (text: string): Colour => {
      const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
      return [r, g, b, a];
    };
    const light = ([r, g, b]: Colour): number => {
      const linear = (part: number): number =>
        part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4;
      return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    };
    const ground = (element: Element | null): Colour => {
      for (let one = element; one !== null; one = one.parentElement) {
        const found = colour(getComputedStyle(one).backgroundColor);
        if (found[3] === 1) return found;
      }
      return [255, 255, 255, 1];
    };
    for (const element of document.querySelectorAll('body *')) {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && (node.textContent ?? '').trim() !== '');
      const style = getComputedStyle(element);
      if (!own || style.visibility === 'hidden' || element.getClientRects().length === 0) continue;
      const [one, other] = [light(colour(style.color)), light(ground(element))];
      const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      if (contrast < least)
        problems.push(`contrast ${contrast.toFixed(2)} of "${(element.textContent ?? '').trim().slice(0, 40)}"`);
    }
    return problems;
  }, CONTRAST);
}

/** How many pixels the page is wider than the window. */
export const overflowOf = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
