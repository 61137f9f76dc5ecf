import { describe, expect, it } from 'vitest';
import { HIDDEN, redact, redactUrl } from './redact.ts';

describe('redaction', () => {
  it('hides secret members at any depth, whatever their case', () => {
    const secret = {
      Authorization: 'Bearer x',
      nested: [{ access_token: 'a', keep: 1 }],
      'Access-Token': 't',
      note: 'n',
    };
    expect(redact(secret)).toEqual({
      Authorization: HIDDEN,
      nested: [{ access_token: HIDDEN, keep: 1 }],
      'Access-Token': HIDDEN,
      note: 'n',
    });
    expect(JSON.stringify(secret)).toContain('Bearer x');
  });

  it('hides secrets in query strings, encoded names included, and keeps the rest as it was', () => {
    expect(redactUrl('/oauth2/advertiser/get/?app_id=1&secret=s3cr3t&x=%20')).toBe(
      `/oauth2/advertiser/get/?app_id=1&secret=${HIDDEN}&x=%20`,
    );
    expect(redactUrl('/cb?auth%5Fcode=abc&state=xyz')).toBe(`/cb?auth%5Fcode=${HIDDEN}&state=${HIDDEN}`);
    expect(redactUrl('/cb?pixel_key=1', ['pixel_key'])).toBe(`/cb?pixel_key=${HIDDEN}`);
    expect(redactUrl('/plain')).toBe('/plain');
  });
});
