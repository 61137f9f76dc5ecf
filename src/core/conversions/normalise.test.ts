import { describe, expect, it } from 'vitest';
import { normalised, Unfit } from './normalise.ts';

const email = { steps: ['trim', 'lowercase'], hash: 'sha256' } as const;
const phone = { steps: ['trim', 'e164'], hash: 'sha256' } as const;
const idfa = { steps: ['trim', 'uppercase'], hash: 'sha256' } as const;
const gaid = { steps: ['trim', 'lowercase'], hash: 'sha256' } as const;

describe('identifiers', () => {
  // The examples of a platform that publishes some.
  it.each([
    ['alice_abc@gmail.com', email, '848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f'],
    ['  Alice_ABC@Gmail.com\n', email, '848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f'],
    ['+12133734253', phone, '9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd'],
    [' +1 (213) 373-4253 ', phone, '9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd'],
    ['+1.213.373\u00a04253', phone, '9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd'],
    ['user_123', { hash: 'sha256' }, '80fba0ae1c48e3978e43e4efc365e14e12ea0c830ba8ba5b9a2dafc7e3f2ab8b'],
    ['EA7583CD-A667-48BC-B806-42ECB2B48606', idfa, '70574fa9c8f498a7b2e5c8712b1126de7b1406fd02fdc591821c5bd33092fd1c'],
    ['ea7583cd-a667-48bc-b806-42ecb2b48606', idfa, '70574fa9c8f498a7b2e5c8712b1126de7b1406fd02fdc591821c5bd33092fd1c'],
    ['aaaaaa-2222-1111-8787-809e92233ba0', gaid, '0ebad966881e1eebffe69b3abf624631cf83ec9bf8cb3ce134c7c75c6d8ee7fc'],
    ['AAAAAA-2222-1111-8787-809e92233ba0', gaid, '0ebad966881e1eebffe69b3abf624631cf83ec9bf8cb3ce134c7c75c6d8ee7fc'],
  ] as const)('%j', (value, field, digest) => {
    expect(normalised(value, field)).toBe(digest);
    // Never twice, in whichever case somebody writes the digest.
    expect(normalised(digest, field)).toBe(digest);
    expect(normalised(digest.toUpperCase(), field)).toBe(digest);
  });

  it.each([
    '2133734253',
    '0049 30 1234567',
    '+0123456789',
    '+1234567',
    '+1234567890123456',
    'not a number',
    '+49 30 12a4567',
  ])('no phone number: %j', (value) => {
    expect(() => normalised(value, phone)).toThrow(Unfit);
  });

  it.each(['10.0.0.1', '127.0.0.1', '192.168.3.4', '100.64.0.1', 'fe80::1', '::1', 'fd00::1', '1.2.3', 'localhost'])(
    'no address of a customer: %j',
    (value) => {
      expect(() => normalised(value, { steps: ['trim', 'public_ip'] })).toThrow(Unfit);
    },
  );

  it.each(['203.0.113.1', '8.8.8.8', '2001:4860:4860::8888', '2001:4860:4860:0000:0000:0000:0000:8888'])(
    'an address: %j',
    (value) => {
      expect(normalised(value, { steps: ['trim', 'public_ip'] })).toBe(value);
    },
  );

  it('that are empty after normalising are no identifiers', () => {
    for (const value of ['', '   ']) expect(() => normalised(value, email)).toThrow(Unfit);
  });

  it('names what is wrong and never the value', () => {
    try {
      normalised('+49 30 secret', phone);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).not.toContain('secret');
    }
  });
});
