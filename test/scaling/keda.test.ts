import { expect, test } from 'vitest';
import { deployedRule, Keda } from './keda.ts';

const rule = { ...deployedRule(), cooldown: 3, stabilisation: 2 };
const replicas = (metrics: readonly (number | null)[]): number[] => {
  const keda = new Keda(rule);
  return metrics.map((metric) => keda.poll(metric));
};

test('the simulated scaler takes the first replica on activation, then one for each full or begun target', () => {
  expect(replicas([0, 1, 1])).toEqual([0, 1, 1]);
  expect(replicas([9, 9])).toEqual([1, 2]);
  expect(replicas([100, 100])).toEqual([1, rule.most]);
});

test('it removes replicas after the stabilisation window, and the last one after the cooldown', () => {
  expect(replicas([24, 24, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0])).toEqual([1, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
});

test('it changes nothing for a tenth more or less than the target', () => {
  expect(replicas([8, 8.7, 8.9])).toEqual([1, 1, 2]);
});

test('it keeps the fallback while the gateway cannot be asked', () => {
  const failures = Array.from({ length: rule.mostFailures }, () => null);
  expect(replicas(failures).slice(-2)).toEqual([0, rule.fallback]);
});
