/** Web pages that a review opens: whether they can be opened, and what they say. */
import type { PolicyPoint } from '../connector/launch-spec.ts';
import { PolyadError } from '../errors/index.ts';
import type { HttpClient } from '../http/client.ts';
import { fetchGivenAddress } from '../http/given-address.ts';

/** A page as a reviewer would find it. */
export type PageVisit = { reached: true; url: string; text: string } | { reached: false; reason: string };

/** Opens a page, by the rules for addresses that users give. Never throws for what the page does. */
export async function visitPage(http: HttpClient, url: string, signal?: AbortSignal): Promise<PageVisit> {
  try {
    const answer = await fetchGivenAddress(http, {
      url,
      headers: { accept: 'text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.5', 'user-agent': 'polyad' },
      maxBytes: 4 * 1_048_576,
      deadlineMs: 10_000,
      signal,
    });
    if (answer.status !== 200) return { reached: false, reason: `it answers HTTP ${answer.status}` };
    return { reached: true, url: answer.url, text: visibleText(answer.body.toString('utf8')) };
  } catch (error) {
    if (error instanceof PolyadError && error.code.startsWith('egress_'))
      return { reached: false, reason: error.message.replace(/\.$/, '') };
    throw error;
  }
}

/** What a page says, without its mark-up. Good enough to look for words in; nothing here is shown. */
export function visibleText(html: string): string {
  return html
    .replace(/<(script|style|noscript)\b[^>]*>[\s\S]*?<\/\1\s*>/gi, ' ')
    .replace(/<!--[\s\S]*?-->/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&nbsp;/gi, ' ')
    .replace(/&amp;/gi, '&')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}

/** The points of which the page says nothing. */
export const unsaid = (text: string, points: readonly PolicyPoint[]): PolicyPoint[] =>
  points.filter(({ words }) => !words.some((word) => text.includes(word.toLowerCase())));
