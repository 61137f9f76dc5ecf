/**
 * Nothing that a user gives makes this server connect to where it should not. The judge is a trap that listens on this
 * machine and counts connections, not our own check.
 */
import { lookup } from 'node:dns/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { passthroughUrl } from '../../src/core/calls/passthrough.ts';
import { PolyadError } from '../../src/core/errors/index.ts';
import { notPublic, parseAddress } from '../../src/core/http/addresses.ts';
import { HttpClient } from '../../src/core/http/client.ts';
import { EgressPolicy, parseAllowed } from '../../src/core/http/egress.ts';
import { fetchGivenAddress } from '../../src/core/http/given-address.ts';
import { startDns, startTrap, startWeb, type Trap } from './support/traps.ts';

let trap: Trap;
let trap6: Trap | undefined;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  trap = await startTrap();
  // On the same port, so that one address says both.
  trap6 = await startTrap('::1', trap.port).catch(() => undefined);
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await trap.close();
  await trap6?.close();
});
const caught = (): number => trap.connections + (trap6?.connections ?? 0);

const signal = (): AbortSignal => AbortSignal.timeout(3_000);
/** A client for addresses that users give, in front of the trap's port, so that the port is no reason to refuse. */
function client(options: ConstructorParameters<typeof EgressPolicy>[0] = {}): HttpClient {
  const http = new HttpClient(new EgressPolicy({ ports: [443, trap.port], ...options }));
  closing.push(() => http.destroy());
  return http;
}
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'answered',
    (error: unknown) => (error instanceof PolyadError ? error.code : `thrown: ${String(error)}`),
  );

/** Hosts that are, or lead to, this machine, the local network, or a cloud's insides. */
const HOSTS = [
  // Loopback, as people and parsers write it.
  'localhost',
  'LOCALHOST',
  'localhost.',
  'LocalHost.LocalDomain',
  'app.localhost',
  'printer.local',
  'metadata.google.internal',
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '0',
  '0.0.0.0',
  '0.0.0.0.',
  '2130706433',
  '017700000001',
  '0x7f000001',
  '0x7F.0x0.0x0.0x1',
  '0x7f.1',
  '0177.0.0.1',
  '0177.1',
  '00000177.0.0.1',
  '127.0x0.0.01',
  '%31%32%37%2e%30%2e%30%2e%31',
  '１２７.０.０.１',
  '127。0。0。1',
  '①②⑦.⓪.⓪.①',
  'ｌｏｃａｌｈｏｓｔ',
  '127.0.0.1%00',
  // The local network.
  '10.0.0.1',
  '10.255.255.255',
  '10.1',
  '0xa.0.0.1',
  '167772161',
  '172.16.0.1',
  '172.31.255.255',
  '0xac100001',
  '192.168.0.1',
  '192.168.257',
  '3232235521',
  '0300.0250.0.1',
  'router',
  'intranet',
  // Link-local and metadata services.
  '169.254.169.254',
  '169.254.43518',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '169.254.0.1',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
  'metadata',
  // Carrier-grade, reserved, documentation, benchmarks, multicast, broadcast.
  '100.64.0.1',
  '100.127.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.7',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.255',
  '4294967295',
  // IPv6: loopback, unspecified, local, and IPv4 inside IPv6 in every form.
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[0000:0000:0000:0000:0000:0000:0000:0001]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[::127.0.0.1]',
  '[::7f00:1]',
  '[::ffff:10.0.0.1]',
  '[::ffff:a9fe:a9fe]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b::10.0.0.1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2002:a00:1::1]',
  '[2001::1]',
  '[2001:db8::1]',
  '[2001:10::1]',
  '[2001:20::1]',
  '[fe80::1]',
  '[febf::1]',
  '[fec0::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[fd12:3456::1]',
  '[ff02::1]',
  '[100::1]',
  '[2001:2::1]',
  '[2606:4700::5efe:7f00:1]',
  '[2606:4700:0:0:200:5efe:10.0.0.1]',
  '[4000::1]',
  '[5f00::1]',
];

describe('addresses that users give', () => {
  it('the table holds what it should', () => {
    expect(new Set(HOSTS).size).toBe(HOSTS.length);
    expect(HOSTS.length).toBeGreaterThanOrEqual(80);
  });

  it('the trap sees whoever may connect', async () => {
    const before = caught();
    const http = client({ allow: ['127.0.0.0/8'] });
    expect(await codeOf(fetchGivenAddress(http, { url: `https://127.0.0.1:${trap.port}/`, signal: signal() }))).toBe(
      'egress_failed',
    );
    expect(await codeOf(fetchGivenAddress(http, { url: `https://0x7f.1:${trap.port}/`, signal: signal() }))).toBe(
      'egress_failed',
    );
    expect(caught()).toBe(before + 2);
  });

  it.each(HOSTS)('never connect to %s', async (host) => {
    const before = caught();
    const http = client();
    for (const url of [`https://${host}:${trap.port}/x`, `http://${host}:${trap.port}/`, `https://${host}/`])
      expect(await codeOf(fetchGivenAddress(http, { url, signal: signal() }))).toBe('egress_refused');
    expect(caught()).toBe(before);
  });

  it.each([
    ['another scheme', (port: number) => `ftp://127.0.0.1:${port}/`],
    ['a file', () => 'file:///etc/passwd'],
    ['data', () => 'data:text/plain,x'],
    ['gopher', (port: number) => `gopher://127.0.0.1:${port}/_x`],
    ['a script', () => 'javascript:alert(1)'],
    ['nothing', () => ''],
    ['no host', () => 'https://'],
    ['a path', () => '/etc/passwd'],
    ['credentials before a public name', (port: number) => `https://example.com@127.0.0.1:${port}/`],
    ['credentials', () => 'https://user:pass@example.com/'],
    ['backslashes', (port: number) => `https:\\\\127.0.0.1:${port}\\`],
    ['tabs and newlines', (port: number) => `ht\ntps://127.0\t.0.1:${port}/`],
    ['too long', (port: number) => `https://127.0.0.1:${port}/${'x'.repeat(10_000)}`],
    ['a port of other services', () => 'https://example.com:22/'],
    ['plain http', () => 'http://example.com/'],
  ])('are refused with %s', async (_name, url) => {
    const before = caught();
    expect(await codeOf(fetchGivenAddress(client(), { url: url(trap.port), signal: signal() }))).toBe('egress_refused');
    expect(caught()).toBe(before);
  });

  it('say public of public addresses', () => {
    for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '64:ff9b::808:808'])
      expect([address, notPublic(parseAddress(address) as NonNullable<ReturnType<typeof parseAddress>>)]).toEqual([
        address,
        undefined,
      ]);
  });
});

describe('names', () => {
  it('that answer with a private address are refused, also beside public ones', async () => {
    const dns = await startDns({
      'a.example.com': [['127.0.0.1']],
      'b.example.com': [['8.8.8.8', '127.0.0.1']],
      'c.example.com': [['169.254.169.254']],
      'd.example.com': [['10.0.0.5', '8.8.8.8']],
    });
    closing.push(() => dns.close());
    const http = client({ resolve: dns.resolve });
    const before = caught();
    for (const name of ['a', 'b', 'c', 'd'])
      expect(
        await codeOf(fetchGivenAddress(http, { url: `https://${name}.example.com:${trap.port}/`, signal: signal() })),
      ).toBe('egress_refused');
    expect(caught()).toBe(before);
    expect(dns.asked).toBe(4);
  });

  it('that answer differently each time lead only to the address that was checked', async () => {
    // 127.0.0.2 plays the public server here: the operator opened that one address. 127.0.0.1 stays shut.
    const site = await startTrap('127.0.0.2', trap.port);
    closing.push(() => site.close());
    const dns = await startDns({ 'rebind.example.com': [['127.0.0.2'], ['127.0.0.1']] });
    closing.push(() => dns.close());
    const before = caught();
    const answers: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      const http = client({ resolve: dns.resolve, allow: ['127.0.0.2'] });
      const url = `https://rebind.example.com:${trap.port}/`;
      answers.push(await codeOf(fetchGivenAddress(http, { url, signal: signal() })));
    }
    expect(answers).toEqual(Array.from({ length: 10 }, () => ['egress_failed', 'egress_refused']).flat());
    expect(site.connections).toBe(10);
    expect(caught()).toBe(before);
    // One question per connection: what was asked is what was used.
    expect(dns.asked).toBe(20);
  });

  it('of this machine are refused although the system knows them', async () => {
    const own = (await lookup('localhost')).address;
    expect(parseAddress(own)?.range()).toBe('loopback');
    const before = caught();
    const http = client({ resolve: async () => [{ address: own, family: own.includes(':') ? 6 : 4 }] });
    expect(await codeOf(fetchGivenAddress(http, { url: `https://own.example.com:${trap.port}/` }))).toBe(
      'egress_refused',
    );
    expect(caught()).toBe(before);
  });
});

describe('redirects', () => {
  const TARGETS = (port: number): string[] => [
    `https://127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}/`,
    `//127.0.0.1:${port}/`,
    `https://localhost:${port}/`,
    `https://[::1]:${port}/`,
    `https://0x7f000001:${port}/`,
    `https://[::ffff:127.0.0.1]:${port}/`,
    'https://169.254.169.254/latest/meta-data/',
    'http://169.254.169.254/latest/meta-data/',
    'http://metadata.google.internal/computeMetadata/v1/',
    'file:///etc/passwd',
    'gopher://127.0.0.1/_',
    'https://user:pass@127.0.0.1/',
    'https://',
  ];

  it.each([301, 302, 303, 307, 308])('%i is checked like the first address', async (status) => {
    const targets = TARGETS(trap.port);
    const web = await startWeb((request, response) => {
      response.writeHead(status, { location: targets[Number(request.url?.slice(1))] as string }).end();
    });
    closing.push(() => web.close());
    const http = client({ allow: [web.origin] });
    const before = caught();
    for (const index of targets.keys())
      expect([
        targets[index],
        await codeOf(fetchGivenAddress(http, { url: `${web.origin}/${index}`, signal: signal() })),
      ]).toEqual([targets[index], 'egress_refused']);
    expect(caught()).toBe(before);
  });

  it('end after a few steps, and are the answer where none is to be followed', async () => {
    const web = await startWeb((_request, response) => response.writeHead(302, { location: '/again' }).end());
    closing.push(() => web.close());
    const http = client({ allow: [web.origin] });
    expect(await codeOf(fetchGivenAddress(http, { url: `${web.origin}/` }))).toBe('egress_refused');
    expect(web.requests).toHaveLength(4);
    const answer = await fetchGivenAddress(http, { url: `${web.origin}/`, maxRedirects: 0 });
    expect(answer.status).toBe(302);
  });

  it('take no credentials to another host, and no body', async () => {
    const other = await startWeb((_request, response) => response.end('there'));
    const web = await startWeb((request, response) =>
      response.writeHead(request.method === 'POST' ? 307 : 302, { location: `${other.origin}/there` }).end(),
    );
    closing.push(
      () => web.close(),
      () => other.close(),
    );
    const http = client({ allow: [web.origin, other.origin] });
    const headers = {
      Authorization: 'Bearer secret',
      Cookie: 'a=b',
      'Access-Token': 'secret',
      'X-Signature': 'secret',
      Accept: 'image/png',
    };
    const answer = await fetchGivenAddress(http, { url: `${web.origin}/`, headers });
    expect(answer).toMatchObject({ status: 200, url: `${other.origin}/there` });
    expect(web.requests[0]?.headers).toMatchObject({ authorization: 'Bearer secret', 'access-token': 'secret' });
    expect(JSON.stringify(other.requests)).not.toContain('secret');
    expect(other.requests[0]?.headers).toMatchObject({ accept: 'image/png' });
    expect(other.requests[0]?.headers['cookie']).toBeUndefined();
    const posted = fetchGivenAddress(http, { url: `${web.origin}/`, method: 'POST', body: 'secret' });
    expect(await codeOf(posted)).toBe('egress_refused');
    expect(other.requests).toHaveLength(1);
  });
});

describe('answers', () => {
  it('are read up to a size', async () => {
    const web = await startWeb((_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    closing.push(() => web.close());
    const http = client({ allow: [web.origin] });
    expect(await codeOf(fetchGivenAddress(http, { url: web.origin, maxBytes: 100_000 }))).toBe('egress_refused');
  });

  it('are waited for up to a time, also when they drip', async () => {
    const web = await startWeb((_request, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.once('close', () => clearInterval(timer));
    });
    closing.push(() => web.close());
    const http = client({ allow: [web.origin] });
    const started = Date.now();
    expect(await codeOf(fetchGivenAddress(http, { url: web.origin, deadlineMs: 300 }))).toBe('egress_failed');
    expect(Date.now() - started).toBeLessThan(3_000);
  });
});

describe('what the operator chose', () => {
  it('is reached exactly, and opens nothing beside it', async () => {
    const web = await startWeb((_request, response) => response.end('ok'));
    closing.push(() => web.close());
    const trusted = new Map([['acme/simulator', `${web.origin}/sandbox`]]);
    const http = client({ trusted });
    const send = async (url: string): Promise<string> =>
      codeOf(
        http.send({ method: 'GET', url, headers: {}, signal: signal() }).then(({ body }) => Array.fromAsync(body)),
      );
    expect(await send(`${web.origin}/open_api/`)).toBe('answered');
    const before = caught();
    for (const url of [
      `http://127.0.0.1:${trap.port}/`,
      `https://127.0.0.1:${trap.port}/`,
      `http://localhost:${trap.port}/`,
    ])
      expect(await send(url)).toBe('egress_refused');
    expect(await send(web.origin.replace('127.0.0.1', 'localhost'))).toBe('egress_refused');
    // A simulator that starts later is reached as soon as its address is known.
    trusted.set('other/simulator', `http://127.0.0.1:${trap.port}`);
    expect(await send(`http://127.0.0.1:${trap.port}/`)).toContain('thrown');
    expect(caught()).toBe(before + 1);
  });

  it('for platforms is not open to addresses of users', async () => {
    const simulator = await startWeb((_request, response) => response.end('control'));
    closing.push(() => simulator.close());
    expect(await codeOf(fetchGivenAddress(client(), { url: `${simulator.origin}/_control/reset` }))).toBe(
      'egress_refused',
    );
    expect(simulator.requests).toHaveLength(0);
  });

  it('is written as range, host or origin, and nothing else', () => {
    for (const entry of ['10.0.0.0/8', 'fd00::/8', '10.1.2.3', 'hooks.internal', 'http://10.0.0.7:9000', 'hooks'])
      expect([entry, parseAllowed(entry) !== undefined]).toEqual([entry, true]);
    for (const entry of ['', '10.0.0.0/33', '*', 'http://x/path', 'ftp://x', '0x7f.1', '127.1', 'http://u:p@x', 'a b'])
      expect([entry, parseAllowed(entry)]).toEqual([entry, undefined]);
  });
});

describe('pass-through paths', () => {
  it.each([
    '//127.0.0.1/x',
    '///127.0.0.1/x',
    '/\\127.0.0.1/x',
    'http://127.0.0.1/',
    'HTTPS://127.0.0.1/',
    'https:/127.0.0.1/',
    '/../../etc/passwd',
    '/a/../../b',
    '/%2e%2e/%2e%2e/b',
    '/.%2E/b',
    '/x\r\nHost: evil/',
    '/x y',
    '/\tx',
    'javascript:alert(1)',
  ])('stay on the platform’s host: %j', (path) => {
    expect(() => passthroughUrl('https://api.example.com/base', path, '')).toThrow(PolyadError);
  });

  it.each(['/@127.0.0.1/', '/x@127.0.0.1:80/', '/%2F%2F127.0.0.1/', '/127.0.0.1', '/;@evil', '/#@evil', '/?@evil'])(
    'cannot turn the host around: %j',
    (path) => {
      expect(passthroughUrl('https://api.example.com/base', path, 'a=//evil').origin).toBe('https://api.example.com');
    },
  );
});
