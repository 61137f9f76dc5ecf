/** Pages that simulators show to people: plain HTML, no scripts, no outside assets, usable by keyboard and screen reader. */
import type { SimulatorAnswer } from './server.ts';

const STYLE = `
:root { color-scheme: light; --ink:#161823; --soft:#5b5d66; --line:#dcdde2; --accent:#c8102e; --paper:#fff; }
* { box-sizing: border-box; }
body { margin:0; background:#f3f3f6; color:var(--ink); font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif; }
.strip { background:#161823; color:#fff; padding:.6rem 1rem; text-align:center; font-size:.9rem; }
.strip strong { color:#5ff2ec; }
main { max-width:40rem; margin:2rem auto; padding:2rem; background:var(--paper); border:1px solid var(--line); border-radius:14px; }
h1 { font-size:1.5rem; line-height:1.25; margin:0 0 .5rem; }
h2 { font-size:1rem; margin:0; }
p { margin:.25rem 0 1rem; color:var(--soft); }
nav ul { list-style:none; display:flex; flex-wrap:wrap; gap:.5rem; margin:.5rem 0 1.5rem; padding:0; }
nav a { display:block; padding:.4rem .9rem; border:1px solid var(--line); border-radius:999px; color:var(--ink); text-decoration:none; }
nav a[aria-current] { background:var(--ink); border-color:var(--ink); color:#fff; }
fieldset { border:1px solid var(--line); border-radius:10px; margin:0 0 1.25rem; padding:.5rem 1rem; }
legend { font-weight:600; padding:0 .4rem; }
label { display:flex; gap:.75rem; align-items:flex-start; padding:.5rem 0; cursor:pointer; }
label + label { border-top:1px solid #eeeef1; }
input[type=checkbox] { width:1.15rem; height:1.15rem; margin-top:.2rem; accent-color:var(--accent); flex:none; }
small { display:block; color:var(--soft); }
.alert { border:1px solid var(--accent); background:#fdecef; color:#8a0b20; border-radius:10px; padding:.75rem 1rem; margin:0 0 1.25rem; }
.actions { display:flex; gap:.75rem; justify-content:flex-end; flex-wrap:wrap; }
button { font:inherit; font-weight:600; padding:.7rem 1.5rem; border-radius:8px; border:1px solid var(--line); background:#fff; color:var(--ink); cursor:pointer; }
button.primary { background:var(--accent); border-color:var(--accent); color:#fff; }
a:focus-visible, button:focus-visible, input:focus-visible { outline:3px solid #1a73e8; outline-offset:2px; }
code { font-size:.85em; overflow-wrap:anywhere; }
`;

/** Text as it may stand in HTML, in an attribute too. */
export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** A whole page. */
export interface HtmlPage {
  status: number;
  /** Of the platform that is simulated: `TikTok`. */
  platform: string;
  title: string;
  /** HTML of the main part; whatever came from outside must have gone through `escapeHtml`. */
  body: string;
}

/** A page with a banner that says that this is a simulator. */
export function htmlPage({ status, platform, title, body }: HtmlPage): SimulatorAnswer {
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      // No form-action: browsers apply it to the redirect that follows the form, too.
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    },
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – ${escapeHtml(platform)} simulator</title>
<style>${STYLE}</style>
</head>
<body>
<div class="strip"><strong>${escapeHtml(platform)} simulator</strong> · this is not ${escapeHtml(platform)}: no real account is touched</div>
<main>
${body}
</main>
</body>
</html>
`,
  };
}
