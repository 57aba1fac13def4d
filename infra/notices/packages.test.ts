import { expect, test } from 'vitest';
import { mayShip, shippedPackages } from './packages.ts';

test('every package that is shipped has a licence that we may ship', () => {
  const refused = shippedPackages().filter((each) => !mayShip(each));
  expect(refused.map(({ name, licence }) => `${name}: ${licence}`)).toEqual([]);
});

test('the packages that users get are seen, and those that only developing needs are not', () => {
  const names = shippedPackages().map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['sharp', 'onnxruntime-node', 'hono', 'zod', '@aws-sdk/client-s3']),
  );
  expect(names).not.toContain('vitest');
});

test.each([
  ['left-pad', 'MIT', true],
  ['both', 'Apache-2.0 AND BSD-3-Clause', true],
  ['choice', 'AFL-2.1 OR BSD-3-Clause', true],
  ['strict', 'GPL-3.0-only', false],
  ['half', 'MIT AND GPL-3.0-only', false],
  ['silent', 'none stated', false],
  ['@img/sharp-libvips-linux-x64', 'LGPL-3.0-or-later', true],
  ['something-else', 'LGPL-3.0-or-later', false],
])('%s under %s: %s', (name, licence, may) => expect(mayShip({ name, licence })).toBe(may));
