/** A dossier as one HTML file: no script, nothing loaded, made to be read and to be printed. */
import { Html, html } from '../http/html.ts';
import type { Block, Cell, Dossier } from './document.ts';

const STYLE = `:root{--ink:#16182b;--soft:#5d6178;--line:#e3e4ee;--brand:#4f46e5;--good:#0a7d4f;--good-bg:#e2f6ec;--warn:#8a5a00;--warn-bg:#fdf3dc;--bad:#b3261e;--bad-bg:#fdeceb}
*{box-sizing:border-box}body{margin:0;color:var(--ink);background:#fff;font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
main{max-width:56rem;margin:0 auto;padding:3rem 1.5rem 4rem}
header{border-bottom:4px solid var(--brand);padding-bottom:1.5rem;margin-bottom:2rem}
.kind{color:var(--brand);font-weight:600;letter-spacing:.04em;text-transform:uppercase;font-size:.82rem}
h1{font-size:2rem;line-height:1.2;margin:.3rem 0 1rem}h2{font-size:1.25rem;margin:2.6rem 0 .8rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.2rem;margin:0}dt{color:var(--soft)}dd{margin:0;white-space:pre-line;overflow-wrap:anywhere}
.pairs{grid-template-columns:minmax(9rem,15rem) 1fr;gap:.7rem 1.4rem}.pairs dt{color:var(--ink);font-weight:600}
ol.contents{columns:2;padding-left:1.3rem}ol.contents a{color:var(--ink)}
.table{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.88rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600}th.number,td.number{text-align:right;font-variant-numeric:tabular-nums}
.tone{border-radius:99px;padding:.05rem .55rem;font-weight:600;white-space:nowrap}
.good{color:var(--good);background:var(--good-bg)}.warn{color:var(--warn);background:var(--warn-bg)}.bad{color:var(--bad);background:var(--bad-bg)}
.notice{border-radius:10px;padding:.8rem 1.1rem;margin:1rem 0}.notice h3{margin:0 0 .3rem;font-size:1rem}.notice ul{margin:0;padding-left:1.2rem}
figure{margin:1rem 0}figure svg{width:100%;height:auto}figcaption{color:var(--soft);font-size:.85rem;text-align:center}
footer{margin-top:3rem;color:var(--soft);font-size:.85rem;border-top:1px solid var(--line);padding-top:.8rem}
@media (max-width:40rem){main{padding:1.5rem 1rem}dl,.pairs{grid-template-columns:1fr;gap:.1rem}dd{margin-bottom:.6rem}ol.contents{columns:1}}
@media print{main{max-width:none;padding:0}h2{break-after:avoid}tr,figure,.notice{break-inside:avoid}a{color:inherit;text-decoration:none}}`;

/** What a browser may do with the page: nothing but show it. */
export const DOSSIER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const cell = ({ text, tone, strong, number }: Cell): Html => {
  const inner = tone === undefined ? html`${text}` : html`<span class="tone ${tone}">${text}</span>`;
  return html`<td${number === true ? new Html(' class="number"') : ''}>${strong === true ? html`<strong>${inner}</strong>` : inner}</td>`;
};

function block(one: Block): Html {
  switch (one.kind) {
    case 'text':
      return html`<p>${one.text}</p>`;
    case 'list': {
      const items = one.items.map((item) => html`<li>${item}</li>`);
      return one.ordered === true ? html`<ol>${items}</ol>` : html`<ul>${items}</ul>`;
    }
    case 'pairs':
      return html`<dl class="pairs">${one.rows.map(([name, text]) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl>`;
    case 'notice':
      return html`<div class="notice ${one.tone}"><h3>${one.title}</h3><ul>${one.items.map((item) => html`<li>${item}</li>`)}</ul></div>`;
    case 'figure':
      return html`<figure>${new Html(one.svg)}<figcaption>${one.caption}</figcaption></figure>`;
    case 'table':
      return html`<div class="table"><table><thead><tr>${one.head.map((name, column) => html`<th scope="col"${one.rows[0]?.[column]?.number === true ? new Html(' class="number"') : ''}>${name}</th>`)}</tr></thead><tbody>${one.rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table></div>`;
  }
}

/** The whole file. */
export function dossierHtml({ title, subtitle, facts, sections, footer }: Dossier): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${new Html(STYLE)}</style></head>
<body><main>
<header><div class="kind">${subtitle}</div><h1>${title}</h1><dl>${facts.map(([name, text]) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl></header>
<nav aria-label="Contents"><ol class="contents">${sections.map((section, index) => html`<li><a href="#s${index + 1}">${section.title}</a></li>`)}</ol></nav>
${sections.map((section, index) => html`<section id="s${index + 1}"><h2>${index + 1}. ${section.title}</h2>${section.blocks.map(block)}</section>`)}
<footer>${footer}</footer>
</main></body></html>
`.text;
}
