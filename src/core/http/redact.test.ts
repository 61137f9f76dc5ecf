import { describe, expect, it } from 'vitest';
import { HIDDEN, learnSecrets, redact, redactText, redactUrl } from './redact.ts';

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

  it('takes names as platforms write them: letter case, dashes and underscores do not matter', () => {
    for (const name of ['Client-Secret', 'CLIENT_SECRET', 'clientSecret', 'x-api-key', 'developer-token', 'Set-Cookie'])
      expect(redact({ [name]: 'value' })).toEqual({ [name]: HIDDEN });
    expect(redact({ token_type: 'bearer', codes: [1], secret_hint: '…f3a9' })).toEqual({
      token_type: 'bearer',
      codes: [1],
      secret_hint: '…f3a9',
    });
    expect(redactUrl('/cb?Client-Secret=x')).toBe(`/cb?Client-Secret=${HIDDEN}`);
  });

  it('hides what it learnt by name in every text', () => {
    learnSecrets({
      data: [{ access_token: 'learnt-token-value-1', name: 'visible-name' }],
      Secret: 'learnt-app-secret',
    });
    expect(redactText('refused: learnt-token-value-1, learnt-app-secret, visible-name')).toBe(
      `refused: ${HIDDEN}, ${HIDDEN}, visible-name`,
    );
    expect(redact({ note: 'has learnt-token-value-1', list: ['learnt-app-secret'] })).toEqual({
      note: `has ${HIDDEN}`,
      list: [HIDDEN],
    });
    expect(redactUrl('/path/learnt-app-secret/x?y=1')).toBe(`/path/${HIDDEN}/x?y=1`);
  });

  it('hides in texts what nobody knows but everybody can see to be a credential', () => {
    expect(redactText('sent Authorization: Bearer abc.def-ghi and BASIC dXNlcjpwYXNz')).toBe(
      `sent Authorization: Bearer ${HIDDEN} and BASIC ${HIDDEN}`,
    );
    expect(redactText(`key polyad_${'a1'.repeat(20)}!`)).toBe(`key ${HIDDEN}!`);
    expect(redactText('GET https://x.example/t?app_id=1&secret=never-seen&x=2 failed')).toBe(
      `GET https://x.example/t?app_id=1&secret=${HIDDEN}&x=2 failed`,
    );
    expect(redactText('a text = with ? nothing & in it')).toBe('a text = with ? nothing & in it');
  });
});
