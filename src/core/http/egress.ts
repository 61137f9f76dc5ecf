/**
 * Where this server may connect to. One policy for everything that leaves it: calls to platforms, pass-through, and
 * addresses that users give (webhooks, media).
 *
 * A name is resolved once per connection; all of its addresses must be public, and the connection goes to one of those
 * that were checked: a name that answers differently the second time gains nothing. Addresses that the operator chose
 * (another base URL of a platform, the simulators) may be reached exactly: that scheme, host and port, and no other.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { PolyadError } from '../errors/index.ts';
import type { Address } from './address.ts';
import { type AddressRange, inRanges, notPublic, parseAddress, parseRange } from './addresses.ts';

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export interface EgressOptions {
  /**
   * Base URLs whose origins may be reached whatever their address, by any name; read at every check, since addresses of
   * simulators are learned late. For platform calls alone: a user's address is never trusted because a platform's is.
   */
  trusted?: ReadonlyMap<string, string>;
  /** What the operator opens: ranges (`10.0.0.0/8`), host names (`hooks.example`), origins (`http://10.0.0.7:9000`). */
  allow?: readonly string[];
  /** Ports of public addresses; default 443 and 8443. */
  ports?: readonly number[];
  /** Default: the operating system's resolver. */
  resolve?: Resolve;
}

/** Ports on which public services answer. */
export const DEFAULT_PORTS: readonly number[] = [443, 8443];

const HOST_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.?$/i;

/** Names that lead nowhere on the internet: RFC 6761 and 6762, RFC 8375, ICANN's `internal`, and common habit. */
const LOCAL_NAME = /^[^.]*$|(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home\.arpa|onion)$/;

/** An entry of POLYAD_EGRESS_ALLOW in its parts; undefined when it is none. */
export function parseAllowed(
  entry: string,
): { range: AddressRange } | { host: string } | { origin: string } | undefined {
  const range = parseRange(entry);
  if (range !== undefined) return { range };
  if (/^https?:\/\//i.test(entry)) {
    const url = URL.parse(entry);
    return url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
      ? { origin: url.origin }
      : undefined;
  }
  // A name whose last part is a number is an address in an odd spelling.
  return HOST_NAME.test(entry) && !/(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i.test(entry)
    ? { host: entry.toLowerCase().replace(/\.$/, '') }
    : undefined;
}

const refusal = (reason: string, host: string): PolyadError =>
  new PolyadError('egress_refused', {
    message: `This server does not connect to \`${host.slice(0, 200)}\`: ${reason}.`,
    details: { host: host.slice(0, 200), reason },
  });

const systemResolve: Resolve = (hostname) =>
  new Promise((done, failed) =>
    dnsLookup(hostname, { all: true }, (error, addresses) => (error === null ? done(addresses) : failed(error))),
  );

type ConnectOptions = Parameters<ReturnType<typeof buildConnector>>[0];

export class EgressPolicy {
  readonly #trusted: ReadonlyMap<string, string>;
  readonly #ranges: AddressRange[] = [];
  readonly #hosts = new Set<string>();
  readonly #origins = new Set<string>();
  readonly #ports: ReadonlySet<number>;
  readonly #resolve: Resolve;
  /** Origins of `#trusted`, made anew when it has changed. */
  #known: { bases: string; origins: Set<string> } | undefined;

  constructor(options: EgressOptions = {}) {
    this.#trusted = options.trusted ?? new Map();
    this.#ports = new Set(options.ports ?? DEFAULT_PORTS);
    this.#resolve = options.resolve ?? systemResolve;
    for (const entry of options.allow ?? []) {
      const parsed = parseAllowed(entry);
      if (parsed === undefined) throw new Error(`not a range, host or origin: ${entry}`);
      if ('range' in parsed) this.#ranges.push(parsed.range);
      else if ('host' in parsed) this.#hosts.add(parsed.host);
      else this.#origins.add(parsed.origin);
    }
  }

  /**
   * Checks what an address says by itself: scheme, port, host. What a name resolves to is checked when it is connected to.
   *
   * @param origin of `url`, where the caller needs it too: it is worked out anew at every look
   * @throws PolyadError `egress_refused`
   */
  check(url: Address, origin: string = url.origin): void {
    if (url.protocol !== 'https:' && url.protocol !== 'http:')
      throw refusal(`${url.protocol.replace(/:$/, '')} is not http or https`, url.host || url.href);
    if (url.username !== '' || url.password !== '') throw refusal('it carries credentials', url.hostname);
    if (this.#isChosen(origin)) return;
    const host = bareHost(url.hostname);
    const address = parseAddress(host);
    if (address !== undefined && inRanges(address, this.#ranges)) return;
    if (this.#hosts.has(host)) return;
    if (host === '') throw refusal('it names no host', url.href);
    if (address === undefined && host.includes(':')) throw refusal('it is no address of the internet', host);
    const reason = address === undefined ? undefined : notPublic(address);
    if (reason !== undefined) throw refusal(`its address is not public (${reason})`, host);
    if (address === undefined && LOCAL_NAME.test(host)) throw refusal('it is a name of the local network', host);
    if (url.protocol !== 'https:') throw refusal('it is not https', host);
    if (!this.#ports.has(Number(url.port || 443)))
      throw refusal(`port ${url.port} is not one of public services`, host);
  }

  /** An undici connector that connects to checked addresses alone. */
  connector(options: buildConnector.BuildOptions): buildConnector.connector {
    const open = buildConnector(options);
    const guarded = buildConnector({ ...options, lookup: this.#lookup } as buildConnector.BuildOptions);
    return (target: ConnectOptions, callback) => {
      const port = target.port === '' ? '' : `:${target.port}`;
      const host = target.hostname.includes(':') ? `[${target.hostname}]` : target.hostname;
      const url = URL.parse(`${target.protocol}//${host}${port}`);
      try {
        if (url === null) throw refusal('it is not an address', target.hostname);
        this.check(url);
      } catch (error) {
        callback(error as Error, null);
        return;
      }
      const free = this.#isChosen(url.origin) || this.#hosts.has(bareHost(url.hostname));
      (free ? open : guarded)(target, callback);
    };
  }

  #isChosen(origin: string): boolean {
    if (this.#origins.has(origin)) return true;
    if (this.#trusted.size === 0) return false;
    let bases = '';
    for (const base of this.#trusted.values()) bases += `${base} `;
    if (this.#known?.bases !== bases)
      this.#known = {
        bases,
        origins: new Set([...this.#trusted.values()].map((base) => URL.parse(base)?.origin ?? '')),
      };
    return this.#known.origins.has(origin);
  }

  /** Node's look-up for a connection: the addresses it answers are those that were checked. */
  readonly #lookup: LookupFunction = (hostname, options, callback) => {
    this.#checked(hostname).then(
      (addresses) => {
        const wanted = addresses.filter(({ family }) => !options.family || family === Number(options.family));
        const [first] = wanted;
        if (options.all === true) callback(null, wanted);
        else if (first === undefined) callback(noAddress(hostname), '', 4);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 4),
    );
  };

  async #checked(hostname: string): Promise<LookupAddress[]> {
    const found = await this.#resolve(hostname);
    if (found.length === 0) throw noAddress(hostname);
    for (const { address } of found) {
      const parsed = parseAddress(address);
      if (parsed === undefined) throw refusal('it resolves to no address of the internet', hostname);
      if (inRanges(parsed, this.#ranges)) continue;
      const reason = notPublic(parsed);
      // One private address is enough: a name that mixes them is made to be tried until it works.
      if (reason !== undefined) throw refusal(`it resolves to an address that is not public (${reason})`, hostname);
    }
    return [...found];
  }
}

/** A host of a URL as names and addresses are compared: without brackets and the root's dot. */
const bareHost = (hostname: string): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

const noAddress = (hostname: string): Error =>
  Object.assign(new Error(`no address of ${hostname}`), { code: 'ENOTFOUND', hostname });
