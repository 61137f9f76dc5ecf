import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PolyadError } from '../errors/index.ts';
import { checkRedirect, parseOrigin, redirectAllowed, withParams } from './redirects.ts';

const rules = { origins: ['https://app.example.com', 'http://localhost:*'], own: 'https://polyad.example.net' };

describe('redirect targets', () => {
  it('allows addresses of listed origins, our own, and listed addresses', () => {
    for (const target of [
      'https://app.example.com/done',
      'https://app.example.com/done?tab=2#top',
      'HTTPS://APP.example.COM/Done',
      'https://app.example.com:443/',
      'http://localhost:5173/callback',
      'http://localhost/',
      'https://polyad.example.net/dashboard',
    ])
      expect(redirectAllowed(target, rules), target).toBe(true);
    const uris = { ...rules, uris: ['https://other.example.org/landing'] };
    expect(redirectAllowed('https://other.example.org/landing?x=1', uris)).toBe(true);
    expect(redirectAllowed('https://other.example.org/elsewhere', uris)).toBe(false);
  });

  it('refuses whatever could lead elsewhere', () => {
    for (const target of [
      '//evil.example',
      '/\\evil.example',
      '\\\\evil.example',
      'https:\\\\evil.example',
      'https:///evil.example',
      'https:/app.example.com',
      'https:app.example.com',
      'https://app.example.com@evil.example/',
      'https://app.example.com:pw@evil.example/',
      'https://@app.example.com/',
      'https://user@app.example.com/',
      'https://app.example.com\\@evil.example/',
      'https://app.example.com.evil.example/',
      'https://evil.example/https://app.example.com',
      'https://evil.example?https://app.example.com',
      'https://evil.example#@app.example.com',
      'https://app.example.com%2eevil.example/',
      'https://app.example.com:8443/',
      'http://app.example.com/',
      'HtTp://app.example.com/',
      ' https://app.example.com/',
      'https://app.example.com/\r\nSet-Cookie: a=b',
      'https://app.exam\tple.com/',
      'https://app.example.com\u00a0/',
      'https://app.exa\u00admple.com.evil.example/',
      'https://аpp.example.com/',
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'ftp://app.example.com/',
      '',
      'app.example.com/done',
      `https://app.example.com/${'a'.repeat(2048)}`,
      'http://localhost.evil.example/',
      'http://127.0.0.1:80/',
    ])
      expect(redirectAllowed(target, rules), target).toBe(false);
  });

  it('allows only loopback hosts, any port, where a workspace has no list', () => {
    const none = { origins: undefined, own: 'https://polyad.example.net' };
    for (const target of [
      'http://localhost:3000/',
      'http://127.0.0.1:5173/x',
      'http://[::1]:8080/',
      'https://localhost/',
    ])
      expect(redirectAllowed(target, none), target).toBe(true);
    for (const target of ['https://app.example.com/', 'http://127.0.0.2/', 'http://localhost.example.com/'])
      expect(redirectAllowed(target, none), target).toBe(false);
    expect(redirectAllowed('http://localhost:3000/', { origins: [], own: 'https://polyad.example.net' })).toBe(false);
  });

  it('never allows an address that a browser would take to another origin', () => {
    const ugly = fc.string({
      unit: fc.constantFrom(
        ...'/\\@:?#.%&= ',
        '\t',
        '\n',
        'a',
        'evil.example',
        'app.example.com',
        'https',
        '//',
        '\u3002',
        '％',
      ),
      maxLength: 12,
    });
    fc.assert(
      fc.property(ugly, ugly, (before, after) => {
        const target = `${before}https://app.example.com${after}`;
        if (!redirectAllowed(target, rules)) return;
        expect(['https://app.example.com', 'https://polyad.example.net']).toContain(
          new URL(target, 'https://base.invalid').origin,
        );
      }),
      { numRuns: 3000 },
    );
  });

  it('takes wildcards in ports of loopback hosts alone', () => {
    expect(parseOrigin('http://localhost:*')).toBe('http://localhost:*');
    expect(parseOrigin('https://app.example.com')).toBe('https://app.example.com');
    for (const entry of ['https://*.example.com:*', 'https://example.com:*', 'https://example.com/path', '*', 'null'])
      expect(parseOrigin(entry), entry).toBeUndefined();
    expect(
      redirectAllowed('https://example.com:99/', { origins: ['https://example.com:*'], own: 'https://x.invalid' }),
    ).toBe(false);
  });

  it('names the parameter and the allowed origins', () => {
    expect(() => checkRedirect('success_redirect', 'https://evil.example/', rules)).toThrow(PolyadError);
    try {
      checkRedirect('success_redirect', 'https://evil.example/', rules);
    } catch (error) {
      expect(error).toMatchObject({
        code: 'oauth_redirect_not_allowed',
        details: { parameter: 'success_redirect', allowed: rules.origins },
      });
    }
  });
});

describe('withParams', () => {
  it('keeps the query and fragment byte for byte', () => {
    expect(withParams('https://a.example/p?x=%20y+z&x=2#f?g', { id: 'a b', state: 's&t=1' })).toBe(
      'https://a.example/p?x=%20y+z&x=2&id=a%20b&state=s%26t%3D1#f?g',
    );
    expect(withParams('https://a.example', { id: '1', state: undefined })).toBe('https://a.example?id=1');
    expect(withParams('https://a.example/?', { id: '1' })).toBe('https://a.example/?id=1');
    expect(withParams('https://a.example/#/route', {})).toBe('https://a.example/#/route');
  });

  it('cannot be made to break out of its parameter', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (state) => {
        const url = new URL(withParams('https://a.example/p?own=1', { id: 'x', state }));
        expect([...url.searchParams.keys()]).toEqual(['own', 'id', 'state']);
        expect(url.searchParams.get('state')).toBe(state.toWellFormed());
        expect(url.hash).toBe('');
      }),
    );
  });
});
