import { expect, test } from 'vitest';
import { compare, networks } from './parity.ts';
import { openTab } from './tab.ts';

/**
 * As far as float32 goes: the tab and Node add up in another order. docs/browser.md has the differences, beside those of
 * Node with itself.
 */
const close = 1e-5;

test.each(networks)('the tab explains as Node does: %s', { timeout: 400_000 }, async (network) => {
  await using tab = await openTab({ isolated: true });
  const beyond: object[] = [];
  for await (const compared of compare(tab, network))
    if (!compared.same || !(compared.apart <= Math.max(close, 2 * compared.own))) beyond.push(compared);
  expect(beyond).toEqual([]);
});
