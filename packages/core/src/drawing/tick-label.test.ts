import { expect, it } from 'vitest';
import { tickLabel } from './tick-label.ts';

it('gives three digits, and powers of ten where those would be long', () => {
  expect([0, 0.5, -1, 0.12345, 1e-7, 123456, 1 / 3].map(tickLabel)).toEqual([
    '0',
    '0.5',
    '−1',
    '0.123',
    '1e−7',
    '1.23e+5',
    '0.333',
  ]);
});
