/** Which internet addresses are public, in every form in which one address can be written inside another. */
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An address range: first address and length of the prefix in bits. */
export type AddressRange = readonly [Address, number];

/**
 * Addresses that lie in public space and yet are only answered from inside: Azure's virtual machine host, which hands out
 * credentials of the machine (Microsoft Learn, "What is IP address 168.63.129.16?").
 */
const INSIDE = new Set(['168.63.129.16']);

/** NAT64 (RFC 6052): on networks with IPv6 alone, every IPv4 host is reached at such an address. */
const NAT64 = ipaddr.parseCIDR('64:ff9b::/96');
/** The only block from which public IPv6 addresses are given out (IANA, IPv6 Global Unicast Address Assignments). */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3');

/** Interface identifiers that carry an IPv4 address (ISATAP, RFC 5214): `…:0:5efe:a.b.c.d` and `…:200:5efe:a.b.c.d`. */
const ISATAP = new Set([0x0000, 0x0200]);

/** What addresses in URLs and in answers of resolvers look like; other spellings have been resolved before. */
const ADDRESS = /^\d+\.\d+\.\d+\.\d+$|:/;

/** The address that `text` writes, IPv4-mapped IPv6 as IPv4; undefined when it is not a plain address. */
export function parseAddress(text: string): Address | undefined {
  if (!ADDRESS.test(text)) return undefined;
  // A zone names an interface of this machine, which no address of the internet does.
  if (text.includes('%')) return undefined;
  try {
    return ipaddr.process(text);
  } catch {
    return undefined;
  }
}

/** A range as `10.0.0.0/8`, `fd00::/8` or one address; undefined when it is neither. */
export function parseRange(text: string): AddressRange | undefined {
  try {
    if (ipaddr.isValidCIDR(text)) {
      const [address, bits] = ipaddr.parseCIDR(text);
      return [address, bits];
    }
  } catch {
    return undefined;
  }
  const address = /^[0-9a-f:.]+$/i.test(text) && isPlain(text) ? parseAddress(text) : undefined;
  return address === undefined ? undefined : [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** Four decimal parts or an IPv6 address: `10.1` and `0x7f.1` are for other programs to understand. */
const isPlain = (text: string): boolean => text.includes(':') || ipaddr.IPv4.isValidFourPartDecimal(text);

/** Whether an address lies in one of the ranges. */
export function inRanges(address: Address, ranges: readonly AddressRange[]): boolean {
  return ranges.some(([from, bits]) => from.kind() === address.kind() && address.match(from as never, bits));
}

/** Why an address is not public, in the terms of the registries; undefined when it is. */
export function notPublic(address: Address): string | undefined {
  if (address.kind() === 'ipv4') {
    const range = address.range();
    if (INSIDE.has(address.toString())) return 'cloudHost';
    return range === 'unicast' ? undefined : range;
  }
  const v6 = address as ipaddr.IPv6;
  if (v6.match(NAT64 as [ipaddr.IPv6, number])) {
    const inner = notPublic(lastFourBytes(v6));
    return inner === undefined ? undefined : `translated ${inner}`;
  }
  const range = v6.range();
  if (range !== 'unicast') return range;
  if (!v6.match(GLOBAL_IPV6 as [ipaddr.IPv6, number])) return 'reserved';
  const [group, marker] = v6.parts.slice(4, 6) as [number, number];
  if (marker === 0x5efe && ISATAP.has(group)) return notPublic(lastFourBytes(v6));
  return undefined;
}

function lastFourBytes(address: ipaddr.IPv6): ipaddr.IPv4 {
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}
