import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { reshape, sum } from '../../onnx/emit.ts';
import { float32, type Tensor } from '../../tensor.ts';
import { explain } from '../../testing/explain.ts';
import { networkOf } from '../../testing/network.ts';
import { wave } from '../../testing/wave-network.ts';

// What SHAP 0.51 gives for operators of two moving values: test/parity/shap/record_shap.py.

interface Recorded {
  readonly image: readonly number[];
  readonly baseline: readonly number[];
  readonly weight: readonly number[];
  readonly scores: readonly number[];
  readonly attributions: readonly (readonly number[])[];
}
const recorded: Record<string, Recorded> = JSON.parse(
  readFileSync(new URL('shap-vectors.json', import.meta.url), 'utf8'),
);

const part = (g: GraphBuilder, x: Value, ...channels: number[]): Value =>
  g.emit('Gather', [x, g.ints(channels)], { axis: 1 });

const operators: Record<string, (g: GraphBuilder, x: Value) => Value> = {
  Mul: (g, x) => g.emit('Mul', [part(g, x, 0, 1, 2), part(g, x, 3, 4, 5)]),
  Div: (g, x) => g.emit('Div', [part(g, x, 0, 1, 2), part(g, x, 3, 4, 5)]),
  Max: (g, x) => g.emit('Max', [part(g, x, 0, 1, 2), part(g, x, 3, 4, 5)]),
  Softmax: (g, x) => g.emit('Softmax', [x], { axis: 1 }),
};

/** DeepLIFT SHAP takes a baseline of any values. */
async function explained(network: Uint8Array, image: Tensor<'float32'>, baseline: Tensor, target: number) {
  return explain(network, { method: 'deep-lift-shap' }, image, [target], { aux: { baselines: baseline } });
}

describe('Multipliers are those of SHAP:', () => {
  it.each(Object.entries(operators))('%s', async (op, operator) => {
    const { image, baseline, weight, scores, attributions } = recorded[op]!;
    const network = networkOf([image.length, 1, 1], (_, x, g) => {
      const y = operator(g, reshape(g, x, [-1, image.length]));
      // Scores that end in a Softmax would be those before it.
      return g.emit('MatMul', [y, g.floats([weight.length / 2, 2], [...weight])]);
    });
    const shape = [1, image.length, 1, 1];
    for (const [target, expected] of attributions.entries()) {
      const { attribution, logits } = await explained(
        network,
        float32(shape, image),
        float32(shape, baseline),
        target,
      );
      expect(logits.data[target]!).toBeCloseTo(scores[target]!, 5);
      const largest = Math.max(...expected.map(Math.abs));
      expected.forEach((value, i) => {
        expect(Math.abs(attribution.data[i]! - value), `${i}`).toBeLessThan(2e-6 * largest);
      });
    }
  });

  it('MatMul, which SHAP has no rule for, as the sum of products, of which it has', async () => {
    const network = (multiplied: (g: GraphBuilder, a: Value, b: Value) => Value) =>
      networkOf([2, 3, 3], (_, x, g) => {
        const [a, b] = [part(g, x, 0), part(g, x, 1)].map((v) => reshape(g, v, [-1, 3, 3])) as [Value, Value];
        return reshape(g, multiplied(g, a, b), [-1, 9]);
      });
    const [image, baseline] = [wave([1, 2, 3, 3]), wave([1, 2, 3, 3], -0.4)];
    const whole = network((g, a, b) => g.emit('MatMul', [a, b]));
    const products = network((g, a, b) =>
      sum(g, g.emit('Mul', [reshape(g, a, [-1, 3, 3, 1]), reshape(g, b, [-1, 1, 3, 3])]), [2], false),
    );
    for (const target of [0, 5]) {
      const [found, expected] = [
        await explained(whole, image, baseline, target),
        await explained(products, image, baseline, target),
      ];
      const largest = Math.max(...expected.attribution.data.map(Math.abs));
      expected.attribution.data.forEach((value, i) => {
        expect(Math.abs(found.attribution.data[i]! - value)).toBeLessThan(1e-6 * largest);
      });
    }
  });
});
