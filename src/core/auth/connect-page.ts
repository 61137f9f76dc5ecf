/**
 * The pages of the connect flow: what is asked and why, the form for pasted tokens, the result. No script, no file from
 * elsewhere, one style sheet under a nonce.
 */
import { randomBytes } from 'node:crypto';
import type { Environment, Platform } from '../connector/types.ts';
import type { ErrorCode, PolyadError } from '../errors/index.ts';
import { Html, html } from '../http/html.ts';
import { logoOf } from '../integrations/logo.ts';
import { OBJECTS } from '../model/objects.ts';
import { CONTRACT_OBJECT_NAMES, type Permission } from '../model/permissions.ts';
import { type ConnectTexts, type FailureKind, type Names, textsFor } from './connect-texts-table.ts';
import type { ImportForm } from './import-form.ts';
import type { GrantChanges } from './life/changes.ts';

/** What the server sends to a browser, whole. */
export interface BrowserAnswer {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string>;
  body: string;
}

export interface Subject {
  workspace: string;
  platform: Platform;
  environment: Environment;
  lang?: string | undefined;
}

const STYLE = `
:root{color-scheme:light dark;--bg:#f3f4f7;--card:#fff;--ink:#16181d;--soft:#5b6270;--line:#e3e5ea;--accent:#1f5eff;--on:#fff;--ok:#12703f;--bad:#b3261e;--chip:#eef1f6}
@media (prefers-color-scheme:dark){:root{--bg:#0f1115;--card:#181b21;--ink:#eef0f4;--soft:#a3abba;--line:#2a2f38;--accent:#8fb0ff;--on:#0d1426;--ok:#6fd39d;--bad:#ff9d94;--chip:#232831}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px 16px;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;min-width:0;max-width:34rem;background:var(--card);border:1px solid var(--line);border-radius:20px;padding:32px;box-shadow:0 12px 40px rgb(0 0 0/.08)}
header{display:flex;gap:14px;align-items:center;margin-bottom:20px}
header img{width:48px;height:48px;border-radius:12px}
header p{margin:0;font-weight:600}
h1{font-size:1.45rem;line-height:1.25;margin:0 0 8px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:26px 0 8px}
p{margin:0 0 10px;overflow-wrap:anywhere}
.soft{color:var(--soft);font-size:.92rem}
.chip{display:inline-block;background:var(--chip);border-radius:99px;padding:1px 10px;font-size:.8rem}
.asked .chip{flex:none}
ul{list-style:none;margin:0;padding:0}
.asked li{display:flex;gap:12px;justify-content:space-between;align-items:baseline;padding:9px 0;border-top:1px solid var(--line)}
.asked li:first-child{border-top:0}
.not li{padding:3px 0 3px 22px;position:relative}
.not li::before{content:"\\2013";position:absolute;left:4px;color:var(--soft)}
form{margin-top:26px}
.buttons{display:flex;flex-wrap:wrap;gap:10px}
button{font:inherit;font-weight:600;border-radius:12px;padding:12px 20px;border:1px solid var(--line);background:transparent;color:var(--ink);cursor:pointer}
button.main{flex:1 1 14rem;background:var(--accent);border-color:var(--accent);color:var(--on)}
button:focus-visible,input:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
label{display:block;font-weight:600;margin:14px 0 4px}
input{width:100%;font:inherit;padding:11px 12px;border-radius:10px;border:1px solid var(--line);background:var(--bg);color:inherit}
input+p{margin-top:6px}
.rows li{border-top:1px solid var(--line)}.rows li:first-child{border-top:0}.rows label{display:flex;gap:12px;align-items:baseline;font-weight:400;margin:0;padding:9px 0;cursor:pointer}.rows input{width:auto;flex:none;padding:0}.rows small{color:var(--soft);overflow-wrap:anywhere}
.find{display:flex;gap:10px;margin-top:18px}.find button{flex:none}
.error{border:1px solid var(--bad);color:var(--bad);border-radius:12px;padding:10px 14px;margin:16px 0 0}
.state{display:grid;place-items:center;width:44px;height:44px;border-radius:50%;font-size:1.4rem;font-weight:700;line-height:1;margin-bottom:14px;background:var(--chip)}.ok{color:var(--ok)}.bad{color:var(--bad)}
code{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.88em}
footer{margin-top:22px;border-top:1px solid var(--line);padding-top:14px}
footer p{margin:0}
`;

/**
 * A page with its headers. `formTargets`: origins that a form's answer may redirect to; browsers apply `form-action` to
 * redirects too, so the way to the platform must be named.
 */
export function page(
  lang: string,
  title: string,
  body: Html,
  options: { status?: number; formTargets?: readonly string[] } = {},
): BrowserAnswer {
  const nonce = randomBytes(16).toString('base64');
  const document = html`<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style nonce="${nonce}">${new Html(STYLE)}</style>
</head>
<body><main>${body}</main></body>
</html>
`;
  return {
    status: options.status ?? 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-language': lang,
      'cache-control': 'no-store',
      'content-security-policy': [
        "default-src 'none'",
        `style-src 'nonce-${nonce}'`,
        'img-src data:',
        `form-action ${["'self'", ...(options.formTargets ?? [])].join(' ')}`,
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    },
    body: document.text,
  };
}

/** Sends the browser on. */
export function redirectTo(location: string): BrowserAnswer {
  // A header carries ASCII; what was given in another script is written as browsers would.
  const ascii = /^[\x21-\x7e]*$/.test(location) ? location : new URL(location).href;
  return {
    status: 302,
    headers: { location: ascii, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
    body: '',
  };
}

/** Platform and environment at the top. */
export const head = ({ platform, environment }: Subject, texts: ConnectTexts): Html => html`<header>
<img src="${logoOf(platform)}" alt="" width="48" height="48">
<div><p>${platform.manifest.name}</p><span class="chip">${texts.environment[environment]}</span></div>
</header>`;

const foot = (texts: ConnectTexts, line?: string): Html =>
  html`<footer class="soft">${line !== undefined && html`<p>${line}</p>`}<p>${texts.poweredBy}</p></footer>`;

/** One line per kind of object: what may be done with it, and why. The platform's own words replace ours. */
function askedLines(platform: Platform, permissions: readonly Permission[], texts: ConnectTexts): Html[] {
  const own = platform.auth.scopeTexts ?? {};
  return CONTRACT_OBJECT_NAMES.flatMap((name) => {
    const { read, write } = OBJECTS[name].permissions;
    const writes = write !== undefined && permissions.includes(write);
    if (!writes && !permissions.includes(read)) return [];
    const object = texts.objects[name];
    const words = (writes ? own[write] : undefined) ?? own[read] ?? object.why;
    return [
      html`<li><span><strong>${object.name}</strong><br><span class="soft">${words}</span></span><span class="chip">${writes ? texts.change : texts.view}</span></li>`,
    ];
  });
}

export interface ConsentPage extends Subject {
  permissions: readonly Permission[];
  /** True when an existing connection is authorised again. */
  again: boolean;
  /** Origin of the platform's authorize page, and of our caller's redirect targets. */
  formTargets: readonly string[];
}

/** Before the platform's own page: who asks, for what, why; and what is not asked. */
export function consentPage(input: ConsentPage): BrowserAnswer {
  const { lang, texts } = textsFor(input.lang);
  const { workspace, platform, permissions } = input;
  const { name } = platform.manifest;
  const writes = permissions.some((permission) => permission.endsWith('_write'));
  const body = html`${head(input, texts)}
<h1>${input.again ? texts.reheading(workspace, name) : texts.heading(workspace, name)}</h1>
<p class="soft">${texts.intro(workspace, name)}</p>
<h2>${texts.asked}</h2>
<ul class="asked">${askedLines(platform, permissions, texts)}</ul>
<h2>${texts.notAsked}</h2>
<ul class="not soft"><li>${texts.notPassword(name)}</li>${!writes && html`<li>${texts.notWrite(workspace)}</li>`}<li>${texts.notPayment}</li><li>${texts.notPersonal}</li></ul>
<form method="post"><div class="buttons">
<button class="main" name="action" value="continue">${texts.proceed(name)}</button>
<button name="action" value="cancel">${texts.cancel}</button>
</div></form>
${foot(texts, `${texts.revoke(name)} ${texts.once}`)}`;
  return page(lang, texts.title(name), body, { formTargets: input.formTargets });
}

export interface ImportPage extends Subject {
  form: ImportForm;
  /** True when an existing connection is authorised again. */
  again: boolean;
  /** Why the last try did not work. */
  error?: string | undefined;
  /** What was typed before, secrets left out. */
  values?: Record<string, string>;
  formTargets: readonly string[];
}

/** Where the platform has no sign-in: the values it shows are pasted here. */
export function importPage(input: ImportPage): BrowserAnswer {
  const { lang, texts } = textsFor(input.lang);
  const { name } = input.platform.manifest;
  const fields = input.form.fields.map(
    (field) => html`<label for="${field.name}">${field.label}</label>
<input id="${field.name}" name="${field.name}" type="${field.secret ? 'password' : 'text'}" autocomplete="off" spellcheck="false"${field.required && new Html(' required')} aria-describedby="${field.name}-hint" value="${field.secret ? '' : (input.values?.[field.name] ?? '')}">
<p class="soft" id="${field.name}-hint">${field.instruction}</p>`,
  );
  const body = html`${head(input, texts)}
<h1>${input.again ? texts.reheading(input.workspace, name) : texts.heading(input.workspace, name)}</h1>
<p class="soft">${texts.importIntro(name, input.environment)} ${texts.sealed}</p>
${input.error !== undefined && html`<p class="error" role="alert">${input.error}</p>`}
<form method="post">${fields}
<div class="buttons">
<button class="main" name="action" value="continue">${texts.connect}</button>
<button name="action" value="cancel" formnovalidate>${texts.cancel}</button>
</div></form>
${foot(texts, texts.once)}`;
  return page(lang, texts.title(name), body, {
    status: input.error === undefined ? 200 : 422,
    formTargets: input.formTargets,
  });
}

export interface DonePage extends Subject {
  connectionId: string;
  /** Permissions that were asked for and not granted. */
  missing: readonly Permission[];
  /** Of a connection that was authorised again: what the new grant gives more or less than the one before. */
  changes?: GrantChanges;
}

/** A heading and its lines; nothing where there are none. */
const section = (title: string, lines: readonly string[]): Html | false =>
  lines.length > 0 && html`<h2>${title}</h2><ul class="not">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;

/** The end of a flow whose caller named no page of its own. */
export function donePage(input: DonePage): BrowserAnswer {
  const { lang, texts } = textsFor(input.lang);
  const { changes, missing } = input;
  const words = (permission: string): string => permissionWords(permission, texts);
  const account = (id: string): string => texts.account(id);
  const gained = [
    ...(changes?.permissions_gained ?? []).map(words),
    ...(changes?.organizations_gained ?? []).map(account),
  ];
  const lost = [...(changes?.permissions_lost ?? []).map(words), ...(changes?.organizations_lost ?? []).map(account)];
  // What is lost is missing too; it is said once.
  const absent = missing.filter((permission) => changes?.permissions_lost.includes(permission) !== true).map(words);
  const body = html`${head(input, texts)}
<p class="state ok" aria-hidden="true">✓</p><h1>${changes === undefined ? texts.doneTitle : texts.renewedTitle}</h1>
<p>${texts.doneText(input.workspace, input.platform.manifest.name)}</p>
${changes !== undefined && gained.length + lost.length === 0 && html`<p class="soft">${texts.unchanged}</p>`}
${section(texts.gained, gained)}${section(texts.lost, lost)}${section(texts.absent(input.workspace), absent)}
<p class="soft">${texts.connectionId} <code>${input.connectionId}</code></p>${foot(texts)}`;
  return page(lang, texts.doneTitle, body);
}

/** A permission in words: `Campaigns: view and change`. */
function permissionWords(permission: string, texts: ConnectTexts): string {
  for (const name of CONTRACT_OBJECT_NAMES) {
    const { read, write } = OBJECTS[name].permissions;
    if (permission === read) return `${texts.objects[name].name}: ${texts.view.toLowerCase()}`;
    if (permission === write) return `${texts.objects[name].name}: ${texts.change.toLowerCase()}`;
  }
  return permission;
}

/** The customer pressed Cancel and the caller named no page of its own. */
export function cancelledPage(lang: string | undefined): BrowserAnswer {
  const { lang: real, texts } = textsFor(lang);
  return page(
    real,
    texts.cancelledTitle,
    html`<h1>${texts.cancelledTitle}</h1><p>${texts.cancelledText}</p>${foot(texts)}`,
  );
}

/** Codes that say which failure it is for the customer; every other is judged by who must act. */
const FAILURES: Partial<Record<ErrorCode, FailureKind>> = {
  oauth_denied: 'denied',
  oauth_state_invalid: 'link',
  oauth_cookie_missing: 'cookie',
  oauth_account_mismatch: 'account',
  connection_test_failed: 'test',
  reauth_token_invalid: 'reconnect',
  connection_not_found: 'reconnect',
  internal: 'other',
};

function failureKind(error: PolyadError): FailureKind {
  const known = FAILURES[error.code];
  if (known !== undefined) return known;
  if (error.actor === 'platform') return 'platform';
  return error.actor === 'customer' ? 'test' : 'setup';
}

/**
 * A failure that is not sent on to the caller's page, told to the customer: what happened, what to do, the code and
 * request id for support. Who runs the product finds the words of the error table below where they are theirs to act on.
 */
export function errorPage(
  error: PolyadError,
  requestId: string,
  who: { lang?: string | undefined } & Partial<Names> = {},
): BrowserAnswer {
  const { lang, texts } = textsFor(who.lang);
  const names = {
    workspace: who.workspace ?? texts.unknown.workspace,
    platform: who.platform ?? texts.unknown.platform,
  };
  const kind = failureKind(error);
  const failure = texts.failures[kind];
  const said = kind === 'denied' ? undefined : error.platform?.message;
  const body = html`<p class="state bad" aria-hidden="true">!</p><h1>${texts.failedTitle}</h1>
<p>${failure.happened(names)}</p><p>${failure.next(names)}</p>
${said !== undefined && html`<p class="soft">${texts.platformSays(names.platform)} ${said}</p>`}
${kind === 'setup' && html`<p class="soft">${texts.forOperator} ${error.message} ${error.fix}</p>`}
<p class="soft">${texts.reference} <code>${error.code}</code> · <code>${requestId}</code></p>${foot(texts)}`;
  return page(lang, texts.failedTitle, body, { status: error.status });
}
