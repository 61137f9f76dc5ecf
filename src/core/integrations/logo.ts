/** A plain tile instead of a logo: platforms' marks are theirs, and pages must load nothing from outside. */
import type { Platform } from '../connector/types.ts';
import { escapeHtml } from '../http/html.ts';

/** A data URI with the platform's first letter in its colours. */
export function logoOf(platform: Platform): string {
  const { name, color, textColor } = platform.manifest;
  const letter = escapeHtml([...name][0] ?? '?');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="${escapeHtml(color)}"/><text x="32" y="43" font-family="system-ui,sans-serif" font-size="32" font-weight="700" text-anchor="middle" fill="${escapeHtml(textColor)}">${letter}</text></svg>`;
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}
