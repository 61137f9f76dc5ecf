/** The frame and style of the pages that the server renders itself. No script, nothing from other hosts. */
import type { FastifyReply } from 'fastify';
import { Html, html } from '../core/http/html.ts';
import { redactAnswer } from '../core/http/redact.ts';

/** Our pages run no script and load nothing but their own style sheet. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export interface PageOptions {
  title: string;
  body: Html;
  /** Which link of the head is the current one. */
  current?: 'docs' | 'errors' | 'dashboard';
  /** Right end of the head. */
  corner?: Html;
  /** Address to go on to by itself. */
  next?: string;
  status?: number;
}

/** Answers a page. */
export function sendPage(reply: FastifyReply, options: PageOptions): FastifyReply {
  const link = (href: string, name: string, key: PageOptions['current']): Html =>
    html`<a href="${href}"${options.current === key ? new Html(' aria-current="page"') : ''}>${name}</a>`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${options.next !== undefined && html`<meta http-equiv="refresh" content="0;url=${options.next}">`}
<title>${options.title} · polyad</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/polyad.css">
</head>
<body>
<header class="top"><a class="brand" href="/"><img src="/assets/icon.svg" alt="" width="22" height="22">polyad</a>
<nav aria-label="Main">${link('/dashboard', 'Dashboard', 'dashboard')}${link('/docs/', 'API reference', 'docs')}${link('/docs/errors', 'Errors', 'errors')}</nav>
<div class="corner">${options.corner}</div></header>
<main>${options.body}</main>
</body>
</html>
`;
  return (
    reply
      .code(options.status ?? 200)
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', PAGE_POLICY)
      // Not `no-referrer`: with it browsers send forms with `Origin: null`, and forms must prove where they come from.
      .header('referrer-policy', 'same-origin')
      .header('cache-control', 'no-store')
      .send(redactAnswer(page.text))
  );
}

/** Favicon and mark. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#4f46e5"/><path d="M10 24V9h7.2a5.4 5.4 0 0 1 0 10.8H14" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/><circle cx="23.5" cy="23.5" r="2.5" fill="#a5b4fc"/></svg>`;

/** Style sheet of all pages; light and dark follow the reader's system. */
export const STYLE = `:root{color-scheme:light dark;--bg:#f7f7fb;--card:#fff;--text:#16182b;--soft:#5d6178;--line:#e3e4ee;--brand:#4f46e5;--brand-text:#fff;--good:#0a7d4f;--good-bg:#e2f6ec;--bad:#b3261e;--bad-bg:#fdeceb;--warn:#8a5a00;--warn-bg:#fdf3dc;--code:#f0f0f8}
@media (prefers-color-scheme:dark){:root{--bg:#10121d;--card:#191c2b;--text:#eceefa;--soft:#a0a5c0;--line:#2b2f45;--brand:#8b85ff;--brand-text:#12131f;--good:#5fd3a0;--good-bg:#12322a;--bad:#ff9d95;--bad-bg:#3a1d20;--warn:#f2c464;--warn-bg:#362b15;--code:#222639}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.top{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1.5rem;padding:.75rem 1.5rem;background:var(--card);border-bottom:1px solid var(--line)}
.brand{display:flex;align-items:center;gap:.5rem;font-weight:700;font-size:1.05rem;color:var(--text);text-decoration:none}
nav{display:flex;flex-wrap:wrap;gap:1.1rem}
nav a{color:var(--soft);text-decoration:none}
nav a:hover,nav a[aria-current]{color:var(--text)}
nav a[aria-current]{font-weight:600}
.corner{margin-left:auto;color:var(--soft);display:flex;align-items:center;gap:.75rem}
main{max-width:72rem;margin:0 auto;padding:2rem 1.5rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .4rem;letter-spacing:-.01em}
h2{font-size:1.15rem;margin:2.2rem 0 .8rem}
h3,.card h2{font-size:1rem;margin:0}
p{margin:.4rem 0}
.lead{color:var(--soft);max-width:46rem;font-size:1.02rem}
a{color:var(--brand)}
.soft{color:var(--soft)}
.grid{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));margin-top:1rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.1rem 1.2rem}
a.card{display:block;color:inherit;text-decoration:none}
a.card:hover{border-color:var(--brand)}
.row{display:flex;align-items:center;gap:.6rem;flex-wrap:wrap}
.dot{width:.7rem;height:.7rem;border-radius:50%;flex:none;background:var(--soft)}
.badge{display:inline-block;border-radius:99px;padding:.08rem .6rem;font-size:.82rem;font-weight:600;background:var(--code);color:var(--soft)}
.badge.good{background:var(--good-bg);color:var(--good)}.badge.bad{background:var(--bad-bg);color:var(--bad)}.badge.warn{background:var(--warn-bg);color:var(--warn)}
.table{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:12px}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.55rem .9rem;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
td code{overflow-wrap:break-word}
td.time{white-space:nowrap}
td:first-child code{white-space:nowrap}
th{font-size:.82rem;color:var(--soft);font-weight:600;white-space:nowrap}
tr:target{background:var(--warn-bg)}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.88em}
code{background:var(--code);border-radius:5px;padding:.1em .35em;overflow-wrap:anywhere}
pre{background:var(--code);border-radius:10px;padding:.9rem 1rem;overflow-x:auto}
pre code{background:none;padding:0;overflow-wrap:normal}
.button,button{display:inline-block;border:0;border-radius:8px;padding:.5rem .95rem;background:var(--brand);color:var(--brand-text);font:inherit;font-weight:600;cursor:pointer;text-decoration:none}
.button:hover,button:hover{filter:brightness(1.08)}
.button.quiet,button.quiet{background:var(--code);color:var(--text)}
:focus-visible{outline:3px solid var(--brand);outline-offset:2px}
label{display:block;font-weight:600;margin-bottom:.3rem}
input{width:100%;font:inherit;color:inherit;background:var(--bg);border:1px solid var(--line);border-radius:8px;padding:.55rem .7rem}
form.inline{display:inline}
.narrow{max-width:27rem;margin:4vh auto 0}
.notice{border-radius:10px;padding:.7rem 1rem;margin:1rem 0;background:var(--warn-bg);color:var(--warn)}
.notice.bad{background:var(--bad-bg);color:var(--bad)}
.empty{padding:1.2rem;color:var(--soft)}
@media (max-width:40rem){main{padding:1.4rem 1rem 3rem}.top{padding:.7rem 1rem}td{min-width:8.5rem}td:has(code){min-width:15rem}th,td{padding:.5rem .7rem}}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
`;
