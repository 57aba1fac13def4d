import { expect, it } from 'vitest';
import { byteSize } from '../src/options.ts';

it.each([
  ['1000', 1000],
  ['500MB', 5e8],
  ['1 gb', 1e9],
  ['1.5GiB', 1.5 * 2 ** 30],
  ['64k', 64_000],
])('%s is a number of bytes', (text, bytes) => {
  expect(byteSize(text)).toBe(bytes);
});

it.each(['', 'much', '0', '-1MB', '5 apples', '1e9', 'B'])('"%s" is none', (text) => {
  expect(() => byteSize(text)).toThrow(/Expected a number of bytes/);
});
