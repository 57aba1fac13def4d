import { afterAll, expect, it, vi } from 'vitest';
import type { ExplainerSpec } from '../explainer.ts';
import { expectClose } from '../testing/close.ts';
import { explain } from '../testing/explain.ts';
import { tinyImages } from '../testing/network.ts';
import { tinyTransformer } from '../testing/transformer.ts';
import * as narrowFile from './narrow.ts';

// What no library says of transformers: a narrowed network is explained as the whole one is.

const narrowing = { off: false, runs: 0 };
// A spy and no mock of the file: test files share their modules, and a spy can be taken off again.
const { narrow } = narrowFile;
const spy = vi.spyOn(narrowFile, 'narrow').mockImplementation((...given) => {
  narrowing.runs++;
  if (!narrowing.off) narrow(...given);
});
afterAll(() => spy.mockRestore());

const network = tinyTransformer(-1, 'Relu');
const explained = async (spec: ExplainerSpec, off: boolean) => {
  narrowing.off = off;
  narrowing.runs = 0;
  const { attribution } = await explain(network, spec, tinyImages(), [2, 0]);
  expect(narrowing.runs).toBeGreaterThan(0);
  return attribution;
};

type Named = [
  method: string,
  parameters: Readonly<Record<string, unknown>>,
  layers: string[],
  convention?: ExplainerSpec['convention'],
];

const rules = ['epsilon', 'gamma', 'alpha1-beta0'].flatMap((rule) => [
  { rule, epsilon: 0.1 },
  { rule, epsilon: 0.1, first: 3 },
]);

const composites = ['epsilon-plus', 'epsilon-alpha2-beta1-flat', 'epsilon-gamma-box'].map((composite) => ({
  composite,
  epsilon: 0.1,
  stabilizer: 0.1,
  low: -2,
  high: 2,
}));

it.each<Named>([
  ...rules.map((parameters): Named => ['lrp', parameters, [], 'captum']),
  ...rules.map((parameters): Named => ['layer-lrp', parameters, ['block1.norm1'], 'captum']),
  ['layer-lrp', { epsilon: 0.1 }, ['block0.fc1'], 'captum'],
  ...composites.map((parameters): Named => ['lrp', parameters, []]),
  ...composites.map((parameters): Named => ['layer-lrp', parameters, ['block1.norm1']]),
  ['layer-lrp', { epsilon: 0.1, stabilizer: 0.1 }, ['block0.fc1']],
  ['deep-lift', {}, []],
  ['deep-lift-shap', {}, []],
  ['layer-deep-lift', {}, ['block1.norm1']],
  ['guided-backprop', {}, []],
  ['deconvolution', {}, []],
  ['full-grad', {}, []],
  ['shapley-cam', {}, ['block1.norm1']],
  ['finer-cam', {}, ['block1.norm1']],
  ['smooth-grad', { nt_samples: 2 }, []],
  ['layer-conductance', { n_steps: 3 }, ['block1.norm1']],
])('%s %o of %o', async (method, parameters, layers, convention) => {
  const spec = { method, parameters, layers, convention };
  const whole = await explained(spec, true);
  expect(Math.max(...whole.data.map(Math.abs))).toBeGreaterThan(0);
  expectClose(await explained(spec, false), whole);
});
