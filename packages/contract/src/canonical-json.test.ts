import { expect, test } from 'vitest';
import { canonicalJson } from './canonical-json.ts';

test('the example of RFC 8785, section 3.2.3, comes out as it is there', () => {
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\u05d3': 'Hebrew Letter Dalet',
    '1': 'One',
    '\u{1f600}': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  };
  expect([...canonicalJson(value).matchAll(/:"([^"]+)"/g)].map(([, name]) => name)).toEqual([
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Hebrew Letter Dalet',
    'Euro Sign',
    'Emoji: Grinning Face',
  ]);
});

test('numbers come out as RFC 8785, section 3.2.2, has them', () => {
  expect(
    canonicalJson(JSON.parse('[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001,-0]')),
  ).toBe('[333333333.3333333,1e+30,4.5,0.002,1e-27,0]');
});

test('what means the same gives the same bytes', () => {
  expect(canonicalJson({ b: 1.0, a: 'e\u0301', c: undefined })).toBe(canonicalJson({ a: '\u00e9', b: 1 }));
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, 1n, () => {}])('%s has no JSON form', (value) => {
  expect(() => canonicalJson(value)).toThrow(TypeError);
});
