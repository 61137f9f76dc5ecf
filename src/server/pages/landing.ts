/** The page at `/`: where everything is. */
import { html } from '../../core/http/html.ts';
import { VERSION } from '../openapi/document.ts';
import type { PageOptions } from '../page.ts';

export function landingPage(publicUrl: string): PageOptions {
  const card = (href: string, title: string, text: string) =>
    html`<a class="card" href="${href}"><h2>${title}</h2><p class="soft">${text}</p></a>`;
  return {
    title: 'Unified advertising API',
    corner: html`<span>${VERSION}</span>`,
    body: html`<h1>polyad is running</h1>
<p class="lead">One API, one connect flow and one data model over ad platforms. This server answers at <code>${publicUrl}</code>.</p>
<div class="grid">
${card('/dashboard', 'Dashboard', 'Connections and their health, recent calls, and a button to connect an ad account.')}
${card('/docs/', 'API reference', 'Every operation with its parameters, and a client to try it.')}
${card('/docs/errors', 'Errors', 'Every error code: who must act, whether to retry, what to do.')}
${card('/openapi.json', 'OpenAPI 3.1', 'The machine-readable description, for code generators.')}
</div>
<h2>First call</h2>
<pre><code>curl -H "Authorization: Bearer $POLYAD_API_KEY" ${publicUrl}/unified/connection
curl -H "Authorization: Bearer $POLYAD_API_KEY" "${publicUrl}/ads/&lt;connection id&gt;/campaign?limit=10"</code></pre>`,
  };
}
