/** The picture of where a customer's authorization and data go, drawn from how the server runs. */
import { escapeHtml } from '../http/html.ts';

export interface Flow {
  platform: string;
  product: string;
  /** Where data lies: `PostgreSQL`. */
  database: string;
  /** Where the master key or the secrets lie. */
  secrets: string;
  /** Address under which customers reach the server. */
  address: string;
  callLogDays: number;
}

const INK = '#1f2440';
const SOFT = '#5d6178';
const BRAND = '#4f46e5';

const shorten = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function box(
  x: number,
  y: number,
  width: number,
  height: number,
  title: string,
  lines: string[],
  fill: string,
): string {
  const middle = x + width / 2;
  const first = y + height / 2 - lines.length * 8;
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="10" fill="${fill}" stroke="${BRAND}" stroke-width="1"/>
<text x="${middle}" y="${first + 4}" font-size="14" font-weight="bold" fill="${INK}" text-anchor="middle">${escapeHtml(title)}</text>
${lines.map((line, index) => `<text x="${middle}" y="${first + 22 + index * 16}" font-size="11" fill="${SOFT}" text-anchor="middle">${escapeHtml(line)}</text>`).join('\n')}`;
}

/** A line with a head at its end. Only straight ones. */
function arrow(x1: number, y1: number, x2: number, y2: number): string {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const corner = (turn: number) =>
    `${(x2 - 9 * Math.cos(angle + turn)).toFixed(1)},${(y2 - 9 * Math.sin(angle + turn)).toFixed(1)}`;
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${BRAND}" stroke-width="1.6"/><polygon points="${x2},${y2} ${corner(0.4)} ${corner(-0.4)}" fill="${BRAND}"/>`;
}

const label = (x: number, y: number, text: string, anchor = 'middle'): string =>
  `<text x="${x}" y="${y}" font-size="11" fill="${INK}" text-anchor="${anchor}">${escapeHtml(text)}</text>`;

/** SVG of 760 × 400, with plain shapes and text alone. */
export function dataFlow({ platform, product, database, secrets, address, callLogDays }: Flow): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 400" font-family="Roboto, system-ui, sans-serif">
${box(10, 20, 190, 76, 'Customer’s browser', ['consents, and comes back', 'with a code of single use'], '#f4f4ff')}
${box(560, 20, 190, 76, platform, ['consent page', 'and advertising API'], '#f4f4ff')}
${box(10, 170, 190, 76, shorten(product, 24), ['own key; sees no token', 'of a customer'], '#ffffff')}
${box(285, 160, 190, 96, 'polyad', ['authorization, pacing,', 'encryption, audit log', shorten(address, 32)], '#ecebff')}
${box(285, 312, 190, 76, shorten(database, 26), ['encrypted tokens,', `call log of ${callLogDays} days`], '#ffffff')}
${box(560, 312, 190, 76, 'Key or secret store', [shorten(secrets, 34), 'apart from the database'], '#ffffff')}
${arrow(200, 46, 560, 46)}
${label(380, 38, '1  sign-in and consent (TLS)')}
${arrow(560, 74, 200, 74)}
${label(380, 90, '2  code, to a registered address')}
${arrow(120, 96, 318, 160)}
${label(196, 142, '3  code', 'end')}
${arrow(442, 160, 622, 96)}
${label(556, 142, '4  code for token, then calls (TLS)', 'start')}
${arrow(200, 208, 285, 208)}
${label(242, 200, '5  API calls')}
${arrow(380, 256, 380, 312)}
${label(390, 288, '6  ciphertext', 'start')}
${arrow(450, 256, 600, 312)}
${label(548, 276, '7  data keys', 'start')}
</svg>`;
}
