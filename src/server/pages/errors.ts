/** The table of errors, as a page with one anchor per code and as JSON. */
import { ERRORS, type ErrorRow } from '../../core/errors/index.ts';
import { type Html, html } from '../../core/http/html.ts';
import type { PageOptions } from '../page.ts';

const RETRY: Record<ErrorRow['retry'], string> = {
  never: 'no',
  after: 'after the wait in Retry-After',
  now: 'at once',
};

/** Text whose `backticked` parts are code. */
const words = (text: string): Html[] =>
  text.split('`').map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`));

export const errorsPage = {
  /** Rows with their code, in the order of the table. */
  json: () => Object.entries(ERRORS).map(([code, row]) => ({ code, ...row })),

  html: (): PageOptions => ({
    title: 'Errors',
    current: 'errors',
    body: html`<h1>Errors</h1>
<p class="lead">Every error answer carries one of these codes. A published code never changes its meaning. <code>actor</code> says who must act: the caller, the end customer who owns the ad account, the operator of this server, or the platform.</p>
<div class="table" role="region" aria-label="Error codes" tabindex="0"><table>
<thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Who acts</th><th scope="col">Send again?</th><th scope="col">What happened, and what to do</th></tr></thead>
<tbody>
${Object.entries(ERRORS).map(
  ([code, row]: [string, ErrorRow]) =>
    html`<tr id="${code}"><td><a href="#${code}"><code>${code}</code></a></td><td>${row.status}</td><td>${row.actor}</td><td>${RETRY[row.retry]}</td><td>${words(row.message)}<br><span class="soft">${words(row.fix)}</span></td></tr>
`,
)}</tbody></table></div>`,
  }),
};
