/**
 * Connects a simulator's test account as a customer would: our auth address, our page, the simulator's consent, our
 * callback. Only the click on the consent page is replaced by the simulator's control call.
 */
import { PolyadError } from '../core/errors/index.ts';

export interface ConnectAccount {
  /** Address at which the server is reached. */
  url: string;
  /** Where the flow may end; any page of the server. Default: the dashboard at `url`. */
  back?: string;
  workspaceId: string;
  /** Integration type: `tiktokads`. */
  type: string;
  /** Control address of the simulator. */
  controlUrl: string;
  external_xref?: string;
  /** `reconnect_url` of a connection that is to be authorised again. */
  reconnectUrl?: string;
}

/** Goes through the flow and answers the id of the connection. @throws PolyadError saying which step failed. */
export async function connectAccount(options: ConnectAccount): Promise<string> {
  const { url, workspaceId, type, controlUrl, back = `${url}/dashboard` } = options;
  const query = new URLSearchParams({ env: 'simulator', success_redirect: back, failure_redirect: back });
  if (options.external_xref !== undefined) query.set('external_xref', options.external_xref);
  if (options.reconnectUrl !== undefined)
    for (const name of ['connection_id', 'reauth_token'])
      query.set(name, new URL(options.reconnectUrl).searchParams.get(name) ?? '');

  const started = await fetch(`${url}/unified/integration/auth/${workspaceId}/${type}?${query}`);
  const link = (await started.text()).trim();
  if (!started.ok) throw failed('the auth address', link);
  // Links carry the public address (POLYAD_PUBLIC_URL); this process may reach the server by another way.
  const publicUrl = link.slice(0, link.indexOf('/connect/'));
  const local = (address: string): string =>
    address.startsWith(publicUrl) ? url + address.slice(publicUrl.length) : address;

  const page = await fetch(local(link), { redirect: 'manual' });
  const cookie = page.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ');
  if (!page.ok) throw failed('our connect page', await page.text());

  const going = await fetch(local(link), {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'action=continue',
  });
  const authorize = going.headers.get('location');
  if (authorize === null) throw failed('Continue on our connect page', await going.text());

  const asked = Object.fromEntries(new URL(authorize).searchParams);
  const consent = await fetch(`${controlUrl}/authorize`, { method: 'POST', body: JSON.stringify(asked) });
  const answer = (await consent.json()) as { redirect_url?: string };
  if (!consent.ok || answer.redirect_url === undefined) throw failed('the consent', JSON.stringify(answer));

  const done = await fetch(local(answer.redirect_url), { redirect: 'manual', headers: { cookie } });
  const target = done.headers.get('location');
  const result = target === null ? undefined : new URL(target).searchParams;
  const id = result?.get('id');
  if (id === null || id === undefined) throw failed('the callback', result?.get('error') ?? (await done.text()));
  return id;
}

const failed = (step: string, said: string): PolyadError =>
  new PolyadError('internal', {
    message: `The demo account could not be connected: ${step} answered: ${readable(said)}`,
  });

/** The words of a page or a JSON error, short enough for one line. */
const readable = (text: string): string =>
  text
    .replace(/<(style|head)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 400);
