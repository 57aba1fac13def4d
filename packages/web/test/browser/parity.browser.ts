import { expect, test } from 'vitest';
import { compare, networks } from './parity.ts';
import { openTab } from './tab.ts';

/** The tab and Node add up in another order. docs/browser.md has the differences, beside those of Node with itself. */
const close = 1e-5;

/**
 * Methods that evaluate EfficientNet-Lite0 at points where rounding decides on which side of a bound of ReLU6 a value lies.
 * They may differ by twice what Node differs from itself, if it adds up in another order.
 */
const decidedByRounding = new Set(['deep-lift', 'integrated-gradients', 'smooth-grad', 'gradient-shap']);

test.each(networks)('the tab explains as Node does: %s', { timeout: 400_000 }, async (network) => {
  await using tab = await openTab({ isolated: true });
  const beyond: object[] = [];
  for await (const compared of compare(tab, network)) {
    const { method, apart, own, same } = compared;
    const most = decidedByRounding.has(method) ? Math.max(close, 2 * own) : close;
    if (!same || !(apart <= most)) beyond.push(compared);
  }
  expect(beyond).toEqual([]);
});
