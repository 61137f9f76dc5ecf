/** Addresses below a base URL, without the work of a whole URL where nothing in them asks for it. */

/** What is asked of the address of a request. A `URL` is one. */
export type Address = Readonly<
  Pick<
    URL,
    | 'href'
    | 'origin'
    | 'protocol'
    | 'host'
    | 'hostname'
    | 'port'
    | 'username'
    | 'password'
    | 'pathname'
    | 'search'
    | 'hash'
  >
>;

/** Characters that a URL leaves as they are, in a path and in a query. */
const PLAIN_PATH = /^[\w\-.~/%:=,@+]*$/;
const PLAIN_QUERY = /^[\w\-.~/%:=,@+&]*$/;
/** `.` or `..` between slashes, also escaped: a URL takes them out. */
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;

export const hasDotSegment = (path: string): boolean => DOT_SEGMENT.test(path);

/** Base URLs taken apart, their paths with a slash at the end. They are the platforms' and the operator's own: few. */
const roots = new Map<string, Address>();

function rootOf(base: string): Address {
  let root = roots.get(base);
  if (root === undefined) {
    const { href, origin, protocol, host, hostname, port, username, password, pathname, search, hash } = new URL(
      base.endsWith('/') ? base : `${base}/`,
    );
    root = { href, origin, protocol, host, hostname, port, username, password, pathname, search, hash };
    // Simulators on ports of their own may come and go, as they do in tests.
    if (roots.size >= 1_000) roots.clear();
    roots.set(base, root);
  }
  return root;
}

/**
 * The address of `path` (without its leading slash) and `query` (without `?`) below `base`; undefined when it would not lie
 * below it.
 */
export function addressBelow(base: string, path: string, query: string): Address | undefined {
  const root = rootOf(base);
  const search = query === '' ? '' : `?${query}`;
  if (!PLAIN_PATH.test(path) || !PLAIN_QUERY.test(query) || hasDotSegment(path)) {
    const url = new URL(`${root.href}${path}${search}`);
    // The root ends with a slash: what begins with it has its scheme, host, port and path, and no user.
    if (!url.href.startsWith(root.href)) return undefined;
    url.hash = '';
    return url;
  }
  return { ...root, href: `${root.href}${path}${search}`, pathname: `${root.pathname}${path}`, search };
}
