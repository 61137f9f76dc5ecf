/**
 * Runs in the page: what is wrong with it for people who use a screen reader, a keyboard or their eyes. Plain JavaScript,
 * since the browser gets its text, and it may use nothing from outside. Types: in-page.d.ts.
 */
export function pageProblems(leastContrast) {
  const problems = [];
  if (document.documentElement.lang === '') problems.push('no language');
  if (document.title.trim() === '') problems.push('no title');
  if (document.querySelectorAll('h1').length !== 1) problems.push(`${document.querySelectorAll('h1').length} h1`);
  if (document.querySelectorAll('main').length !== 1) problems.push('no single main part');

  const levels = [...document.querySelectorAll('h1,h2,h3,h4')].map((heading) => Number(heading.tagName[1]));
  levels.forEach((level, index) => {
    if (index > 0 && level > levels[index - 1] + 1) problems.push(`a heading skips to h${level}`);
  });
  for (const image of document.querySelectorAll('img'))
    if (!image.hasAttribute('alt')) problems.push('an img without alt');
  for (const field of document.querySelectorAll('input:not([type=hidden])'))
    if ((field.labels?.[0]?.textContent ?? '').trim() === '') problems.push(`input ${field.name} without label`);
  for (const control of document.querySelectorAll('a,button')) {
    const name = (control.textContent ?? '').trim() || control.getAttribute('aria-label');
    if (!name) problems.push(`a ${control.tagName} without a name`);
  }
  for (const head of document.querySelectorAll('th'))
    if (!head.hasAttribute('scope')) problems.push('a th without scope');
  for (const area of document.querySelectorAll('.table'))
    if (area.getAttribute('tabindex') !== '0') problems.push('a part that scrolls and has no tabindex');

  const colour = (text) => {
    const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
    return [r, g, b, a];
  };
  const light = ([r, g, b]) => {
    const linear = (part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const ground = (element) => {
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
    if (contrast < leastContrast)
      problems.push(`contrast ${contrast.toFixed(2)} of "${(element.textContent ?? '').trim().slice(0, 40)}"`);
  }
  return problems;
}

/** Runs in the page: by how many pixels it is wider than the window. */
export function pageOverflow() {
  return document.documentElement.scrollWidth - document.documentElement.clientWidth;
}

/** Runs in the page: the text of what has the focus. */
export function focusedText() {
  return document.activeElement?.textContent ?? '';
}
