import { describe, expect, it } from 'vitest';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { mean, reshape, transpose } from '../../onnx/emit.ts';
import { float } from '../../onnx/graph.ts';
import { explain } from '../../testing/explain.ts';
import { networkOf } from '../../testing/network.ts';
import { wave } from '../../testing/wave-network.ts';

// Whole networks: image and baseline are told apart wherever a network puts its rows, and rounding does not add up.

type Step = (g: GraphBuilder, x: Value) => Value;

/** From tokens [rows, 6, 4] to another arrangement, and back. */
const layouts: Record<string, readonly [Step, Step]> = {
  'rows first': [(_, x) => x, (_, y) => y],
  'tokens first, as torch.nn.MultiheadAttention has them': [
    (g, x) => transpose(g, x, [1, 0, 2]),
    (g, y) => transpose(g, y, [1, 0, 2]),
  ],
  'tokens beside their row': [(g, x) => reshape(g, x, [-6, 4]), (g, y) => reshape(g, y, [-1, 6, 4])],
  'rows beside each token': [
    (g, x) => reshape(g, transpose(g, x, [1, 0, 2]), [-6, 4]),
    (g, y) => transpose(g, reshape(g, y, [6, -1, 4]), [1, 0, 2]),
  ],
  'windows, after a step that is no view': [
    (g, x) => g.emit('Sigmoid', [reshape(g, x, [-3, 2, 4])]),
    (g, y) => reshape(g, y, [-1, 6, 4]),
  ],
  'rows between parts of a token': [
    (g, x) => reshape(g, transpose(g, reshape(g, x, [-1, 2, 3, 4]), [1, 0, 2, 3]), [-6, 4]),
    (g, y) => reshape(g, transpose(g, reshape(g, y, [2, -1, 3, 4]), [1, 0, 2, 3]), [-1, 6, 4]),
  ],
};

/** Blocks without biases, which leave most of the image out, after LayerNorm as an operator or in pieces: of a black image every norm is almost 0. */
const normalised =
  (inPieces: boolean): Step =>
  (g, x) => {
    const norm = (v: Value): Value => {
      if (!inPieces) return g.emit('LayerNormalization', [v, g.floats([4], [1, 1, 1, 1])], { axis: -1 });
      const centred = g.emit('Sub', [v, mean(g, v, [-1])]);
      const variance = mean(g, g.emit('Pow', [centred, g.scalar(2)]), [-1]);
      return g.emit('Div', [centred, g.emit('Sqrt', [g.emit('Add', [variance, g.scalar(1e-6)])])]);
    };
    let y = x;
    for (let block = 0; block < 6; block++)
      y = g.emit('MatMul', [norm(y), g.constant(wave([4, 4], 1 + 0.1 * block))]);
    return y;
  };

describe('DeepLIFT adds up of blocks whose norms are almost 0', () => {
  it.each([false, true])('in pieces: %s', async (inPieces) => {
    const network = networkOf([6, 2, 2], (_layer, image, g) => {
      const y = normalised(inPieces)(g, reshape(g, image, [-1, 6, 4]));
      return g.emit('ReduceSum', [y, g.ints([1])], { keepdims: 0 });
    });
    const { attribution, convergenceDelta } = await explain(
      network,
      { method: 'deep-lift' },
      wave([1, 6, 2, 2]),
      [1],
    );
    const difference = attribution.data.reduce((sum, v) => sum + v, 0) - convergenceDelta![0]!;
    expect(Math.abs(convergenceDelta![0]!)).toBeLessThan(2e-3 * Math.abs(difference));
  });
});

describe('DeepLIFT adds up with', () => {
  it.each(Object.entries(layouts))('%s', async (_, [there, back]) => {
    const network = networkOf([6, 2, 2], (_layer, image, g) => {
      const bent = back(g, g.emit('Exp', [there(g, reshape(g, image, [-1, 6, 4]))]));
      return g.emit('ReduceSum', [bent, g.ints([1])], { keepdims: 0 });
    });
    const spec = { method: 'deep-lift', parameters: { baseline: 0.3 } };
    const { attribution, convergenceDelta } = await explain(network, spec, wave([1, 6, 2, 2]), [1]);
    const whole = attribution.data.reduce((sum, v) => sum + Math.abs(v), 0);
    expect(Math.abs(convergenceDelta![0]!)).toBeLessThan(1e-6 * whole);
  });
});

/** Functions as exporters spell them, of a map [rows, 6, 2, 2]. */
const spelled: Record<string, Step> = {
  SiLU: (g, x) => g.emit('Mul', [x, g.emit('Sigmoid', [x])]),
  GELU: (g, x) => {
    const erf = g.emit('Erf', [g.emit('Div', [x, g.scalar(Math.SQRT2)])]);
    return g.emit('Mul', [g.emit('Mul', [x, g.emit('Add', [erf, g.scalar(1)])]), g.scalar(0.5)]);
  },
  HardSwish: (g, x) =>
    g.emit('Mul', [x, g.emit('HardSigmoid', [x], { alpha: float(1 / 6), beta: float(0.5) })]),
  LogSigmoid: (g, x) => g.emit('Log', [g.emit('Sigmoid', [x])]),
  'softplus beyond a bound': (g, x) => {
    const bent = g.emit('Log', [g.emit('Add', [g.emit('Exp', [x]), g.scalar(1)])]);
    return g.emit('Where', [g.emit('Greater', [x, g.scalar(20)]), x, bent]);
  },
  'LayerNorm of the channels': (g, x) => {
    const centred = g.emit('Sub', [x, mean(g, x, [1])]);
    const variance = mean(g, g.emit('Pow', [centred, g.scalar(2)]), [1]);
    return g.emit('Div', [centred, g.emit('Sqrt', [g.emit('Add', [variance, g.scalar(1e-6)])])]);
  },
  'vectors of length one': (g, x) => {
    const norm = g.emit('ReduceL2', [x, g.ints([1])], { keepdims: 1 });
    return g.emit('Div', [x, g.emit('Clip', [norm, g.scalar(1e-12)])]);
  },
  'global response normalisation': (g, x) => {
    const norm = g.emit('ReduceL2', [x, g.ints([2, 3])], { keepdims: 1 });
    const share = g.emit('Div', [norm, g.emit('Add', [mean(g, norm, [1]), g.scalar(1e-6)])]);
    return g.emit('Add', [g.emit('Mul', [x, share]), x]);
  },
  'a squeeze and excitation': (g, x) => g.emit('Mul', [x, g.emit('Sigmoid', [mean(g, x, [2, 3])])]),
};

describe('DeepLIFT adds up, and nothing is said against it, of', () => {
  it.each(Object.entries(spelled))('%s', async (_, step) => {
    const network = networkOf([6, 2, 2], (_layer, image, g) => {
      const mixed = (v: Value) => g.emit('Conv', [v, g.constant(wave([6, 6, 1, 1]))]);
      return g.emit('ReduceMean', [mixed(step(g, mixed(image))), g.ints([2, 3])], { keepdims: 0 });
    });
    for (const baseline of [0, 0.3]) {
      const spec = { method: 'deep-lift', parameters: { baseline } };
      const { attribution, convergenceDelta, warnings } = await explain(
        network,
        spec,
        wave([1, 6, 2, 2]),
        [1],
      );
      const whole = attribution.data.reduce((sum, v) => sum + Math.abs(v), 0);
      expect(whole).toBeGreaterThan(0.1);
      expect(Math.abs(convergenceDelta![0]!)).toBeLessThan(2e-6 * whole);
      expect(warnings).toEqual([]);
    }
  });
});

it('DeepLIFT of a black image, whose vectors have no length, is 0 and not NaN', async () => {
  const network = networkOf([6, 2, 2], (_layer, image, g) => {
    const unit = spelled['vectors of length one']!(g, spelled['global response normalisation']!(g, image));
    return g.emit('ReduceMean', [g.emit('Sqrt', [g.emit('Abs', [unit])]), g.ints([2, 3])], { keepdims: 0 });
  });
  const { attribution } = await explain(network, { method: 'deep-lift' }, wave([1, 6, 2, 2], 0), [1]);
  expect([...attribution.data].every((v) => v === 0)).toBe(true);
});
