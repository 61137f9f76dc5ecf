/**
 * The hosted page on which a customer chooses the ad accounts to be used: for those who have many. It is reached by a signed
 * link that the product mails or embeds as a link; no script, searchable, a hundred at a time, nothing lost between pages.
 */
import { type BrowserAnswer, head, page, redirectTo } from '../auth/connect-page.ts';
import { textsFor } from '../auth/connect-texts-table.ts';
import type { Signer } from '../auth/signing.ts';
import type { Clock } from '../clock.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Environment } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { Html, html } from '../http/html.ts';
import type { Store } from '../store/port.ts';
import { getConnection, getWorkspace, listAccounts } from '../store/repositories/index.ts';
import type { AccountRow, ConnectionRow } from '../store/schema.ts';
import { selectOrganizations } from './selection.ts';

/** Life of a link, in ms. */
export const PICKER_LIFE_MS = 14 * 24 * 3_600_000;
const ROWS = 100;

export interface PickerParts {
  store: Store;
  signer: Signer;
  clock: Clock;
  registry: PlatformRegistry;
  publicUrl(): string;
}

export class AccountPicker {
  readonly #parts: PickerParts;

  constructor(parts: PickerParts) {
    this.#parts = parts;
  }

  /** The link for this one connection. */
  url({ id, workspace_id }: Pick<ConnectionRow, 'id' | 'workspace_id'>): string {
    const ends = this.#parts.clock.now().getTime() + PICKER_LIFE_MS;
    const token = this.#parts.signer.sign('accounts', workspace_id, id, ends.toString(36));
    return `${this.#parts.publicUrl()}/connect/accounts/${token}`;
  }

  /** @throws PolyadError `reauth_token_invalid`, `connection_not_found` */
  async #connection(token: string): Promise<ConnectionRow> {
    const { store, signer, clock } = this.#parts;
    const [workspaceId, id, ends] = signer.verify('accounts', token) ?? [];
    if (workspaceId === undefined || id === undefined || !(Number.parseInt(ends ?? '', 36) > clock.now().getTime()))
      throw new PolyadError('reauth_token_invalid', {
        message: 'The link to choose ad accounts is not valid any more.',
      });
    const row = await getConnection(store.db, workspaceId, id);
    if (row === undefined) throw new PolyadError('connection_not_found');
    return row;
  }

  /** The page. */
  async show(token: string, query: Record<string, string | undefined>, said?: string): Promise<BrowserAnswer> {
    const connection = await this.#connection(token);
    return this.#page(connection, { query: query['q'], from: Number(query['from'] ?? 0) || 0, said });
  }

  /** What was ticked on one page goes in, whichever button was pressed. */
  async submit(token: string, form: Record<string, string | string[] | undefined>): Promise<BrowserAnswer> {
    const connection = await this.#connection(token);
    const { store, clock } = this.#parts;
    const list = (name: string): string[] => [form[name] ?? []].flat();
    const query = list('q')[0];
    const action = list('action')[0] ?? 'save';
    const link = (from: string, saved = false): BrowserAnswer =>
      redirectTo(
        `/connect/accounts/${token}?${new URLSearchParams({ ...(query ? { q: query } : {}), from, ...(saved ? { saved: '1' } : {}) })}`,
      );
    if (action === 'find') return link('0');
    if (action === 'all') {
      await selectOrganizations(store, connection, undefined, clock.now());
      return link('0', true);
    }
    const shown = new Set(list('shown'));
    const ticked = list('organization');
    const before = connection.account.selected_organization_ids ?? connection.account.organization_ids ?? [];
    const chosen = [...before.filter((id) => !shown.has(id)), ...ticked.filter((id) => shown.has(id))];
    if (chosen.length === 0)
      return this.#page(connection, {
        query,
        from: Number(list('from')[0] ?? 0) || 0,
        said: 'Choose at least one ad account. To give none, withdraw the authorization instead.',
        bad: true,
        ticked: new Set(ticked),
      });
    await selectOrganizations(store, connection, chosen, clock.now());
    const move = /^from:(\d{1,6})$/.exec(action)?.[1];
    return link(move ?? list('from')[0] ?? '0', move === undefined);
  }

  async #page(
    connection: ConnectionRow,
    input: { query?: string | undefined; from: number; said?: string | undefined; bad?: boolean; ticked?: Set<string> },
  ): Promise<BrowserAnswer> {
    const { store, registry } = this.#parts;
    const platform = registry.get(connection.integration_type);
    const workspace = (await getWorkspace(store.db, connection.workspace_id))?.name ?? '';
    const query = input.query?.trim() === '' ? undefined : input.query?.trim();
    const from = Math.max(0, input.from);
    const found = await listAccounts(store.db, connection.id, {
      ...{ kind: 'organization', lost: false, query },
    });
    const rows = found.filter(({ node }) => node.granted);
    const businesses = new Map(
      (await listAccounts(store.db, connection.id, { kind: 'business' })).map((row) => [row.id, row.name ?? row.id]),
    );
    const chosen = connection.account.selected_organization_ids;
    const ticked = input.ticked ?? (chosen === undefined ? undefined : new Set(chosen));
    const shown = rows.slice(from, from + ROWS);
    const count = chosen?.length ?? connection.account.organization_ids?.length ?? rows.length;
    const title = `Choose ad accounts for ${workspace}`;
    const body = html`${head({ workspace, platform, environment: connection.environment as Environment }, textsFor('en').texts)}
<h1>${title}</h1>
<p class="soft">${workspace} will use the ad accounts that are ticked, and no others. ${count} ${count === 1 ? 'is' : 'are'} chosen now. You can come back to this page while the link lives.</p>
${input.said !== undefined && html`<p class="${input.bad === true ? 'error' : 'state-line'}" role="${input.bad === true ? 'alert' : 'status'}">${input.said}</p>`}
<form method="post"><div class="find"><input name="q" value="${query ?? ''}" placeholder="Name or number" aria-label="Find an ad account"><button name="action" value="find">Find</button></div>
<input type="hidden" name="from" value="${from}">
${shown.length === 0 ? html`<p class="soft">No ad account is called that.</p>` : html`<ul class="rows">${shown.map((row) => line(row, ticked === undefined || ticked.has(row.id), businesses))}</ul>`}
<p class="soft">${rows.length === 0 ? '' : `${from + 1}–${Math.min(from + ROWS, rows.length)} of ${rows.length}`}</p>
<div class="buttons"><button class="main" name="action" value="save">Save</button>
${from > 0 && html`<button name="action" value="from:${Math.max(0, from - ROWS)}">Save, previous ${ROWS}</button>`}
${from + ROWS < rows.length && html`<button name="action" value="from:${from + ROWS}">Save, next ${ROWS}</button>`}
<button name="action" value="all">Use all, those to come included</button></div></form>`;
    return page('en', title, body, { status: input.bad === true ? 422 : 200 });
  }
}

function line(row: AccountRow, ticked: boolean, businesses: ReadonlyMap<string, string>): Html {
  const { node, id, name } = row;
  const owner = node.owner_id === undefined ? undefined : (businesses.get(node.owner_id) ?? node.owner_name);
  const facts = [
    id,
    owner,
    node.currency,
    node.status === 'active' || node.status === 'unknown' ? undefined : node.status,
  ].filter((one) => one !== undefined);
  return html`<li><label><input type="checkbox" name="organization" value="${id}"${ticked && new Html(' checked')}><span>${name ?? id}<br><small>${facts.join(' · ')}</small></span></label><input type="hidden" name="shown" value="${id}"></li>`;
}
