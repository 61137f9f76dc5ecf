import { describe, expect, it } from 'vitest';
import { currencyDigits, minorPerUsd, toMinor } from './currency.ts';

describe('currencies', () => {
  it.each([
    ['USD', 2],
    ['EUR', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['KWD', 3],
    ['BHD', 3],
    ['???', 2],
  ])('%s has %d decimals', (currency, digits) => {
    expect(currencyDigits(currency)).toBe(digits);
  });

  it('turns amounts into whole minor units', () => {
    expect(toMinor(14.68, 'USD')).toBe(1468);
    expect(toMinor(1.1, 'USD')).toBe(110);
    expect(toMinor(1500, 'JPY')).toBe(1500);
    expect(toMinor(0.305, 'KWD')).toBe(305);
    expect(minorPerUsd('USD')).toBe(100);
    expect(minorPerUsd('JPY')).toBe(150);
    expect(minorPerUsd('KWD')).toBe(310);
  });
});
