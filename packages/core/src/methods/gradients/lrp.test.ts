import { describe, expect, it } from 'vitest';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Attributes } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { float32, type Tensor } from '../../tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { explain } from '../../testing/explain.ts';
import { type Layer, networkOf } from '../../testing/network.ts';

// What LRP by composites says of networks that compute the same, and what becomes of relevance. Numbers: zennit.test.ts.

const wave = (shape: readonly number[], phase: number, size = 0.6): Tensor<'float32'> =>
  float32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => size * Math.sin(1.3 * i + phase)),
  );
const images = wave([2, 2, 6, 6], 0.4, 1);
const named = (g: GraphBuilder, shape: readonly number[], phase: number, size?: number): Value =>
  g.constant(wave(shape, phase, size));
const positive = (g: GraphBuilder, shape: readonly number[], phase: number): Value =>
  g.constant(
    float32(
      shape,
      wave(shape, phase).data.map((v) => 1 + v),
    ),
  );

const relevance = async (model: Uint8Array, parameters: Record<string, unknown> = {}, at = images) =>
  (await explain(model, { method: 'lrp', parameters }, at, [1, 0])).attribution;
const sums = ({ data }: Tensor<'float32'>) =>
  [0, 1].map((n) =>
    data.slice((n * data.length) / 2, ((n + 1) * data.length) / 2).reduce((a, b) => a + b, 0),
  );

type Body = (layer: Layer, image: Value, g: GraphBuilder) => Value;
/** Average and three classes over what `body` makes of the image, [N, 4, h, w]. */
const classifying = (body: Body, bias = true): Uint8Array =>
  networkOf([2, 6, 6], (layer, image, g) => {
    const pooled = layer('pool', 'GlobalAveragePool', [body(layer, image, g)]);
    const weights = [named(g, [3, 4], 2), ...(bias ? [named(g, [3], 1)] : [])];
    return layer('logits', 'Gemm', [layer('flat', 'Flatten', [pooled]), ...weights], { transB: 1 });
  });
const padded: Attributes = { pads: [1, 1, 1, 1] };

describe('What follows a layer and scales and shifts its channels is part of it', () => {
  const [w1, b1, w2, b2] = [wave([3, 2, 3, 3], 0.5), wave([3], 0.9), wave([4, 3, 3, 3], 1.7), wave([4], 0.1)];
  const norm = [0, 1].map((k) => ({
    gamma: wave([3 + k], 2 + k),
    beta: wave([3 + k], 4 + k),
    mean: wave([3 + k], 5 + k),
    variance: float32(
      [3 + k],
      wave([3 + k], 6 + k).data.map((v) => 1 + v),
    ),
  }));
  /** Weights and bias of what a batch normalisation makes of a convolution. */
  function folded(weights: Tensor<'float32'>, bias: Tensor<'float32'>, k: 0 | 1) {
    const { gamma, beta, mean, variance } = norm[k]!;
    const factor = gamma.data.map((v, c) => v / Math.sqrt(variance.data[c]! + 1e-5));
    const each = weights.data.length / factor.length;
    return [
      float32(
        weights.shape,
        weights.data.map((v, i) => v * factor[Math.floor(i / each)]!),
      ),
      float32(
        bias.shape,
        bias.data.map((v, c) => (v - mean.data[c]!) * factor[c]! + beta.data[c]!),
      ),
    ] as const;
  }
  const plain = (first = folded(w1, b1, 0), second = folded(w2, b2, 1)) =>
    classifying((layer, image, g) => {
      const conv = (name: string, x: Value, [w, b]: readonly Tensor[]) =>
        layer(name, 'Conv', [x, g.constant(w!), g.constant(b!)], padded);
      const inner = layer('r1', 'Relu', [conv('c1', image, first)]);
      return layer('r2', 'Relu', [conv('c2', inner, second)]);
    });
  const separate = (between: (layer: Layer, name: string, x: Value, g: GraphBuilder) => Value) =>
    classifying((layer, image, g) => {
      const block = (name: string, x: Value, w: Tensor, b: Tensor, k: 0 | 1) => {
        const conv = layer(`${name}.conv`, 'Conv', [x, g.constant(w)], padded);
        const channel = (t: Tensor) => g.constant({ ...t, shape: [t.data.length, 1, 1] });
        const biased = layer(`${name}.bias`, 'Add', [between(layer, name, conv, g), channel(b)]);
        const { gamma, beta, mean, variance } = norm[k]!;
        const parameters = [gamma, beta, mean, variance].map((t) => g.constant(t));
        return layer(`${name}.relu`, 'Relu', [
          layer(`${name}.norm`, 'BatchNormalization', [biased, ...parameters]),
        ]);
      };
      return block('b2', block('b1', image, w1, b1, 0), w2, b2, 1);
    });
  const presets = ['epsilon-plus', 'epsilon-alpha2-beta1-flat', 'epsilon-gamma-box', 'epsilon'];

  it.each(presets)('by %s: a bias of its own node and a batch normalisation', async (composite) => {
    const parameters = { composite, low: -1, high: 1, epsilon: 1e-3, stabilizer: 1e-3 };
    const whole = await relevance(plain(), parameters);
    expectClose(
      await relevance(
        separate((_, __, x) => x),
        parameters,
      ),
      whole,
    );
    const through = separate((layer, name, x) => layer(`${name}.identity`, 'Identity', [x]));
    expectClose(await relevance(through, parameters), whole);
  });

  it('a factor, a divisor and a difference of constants', async () => {
    const scaled = separate((layer, name, x, g) => {
      const doubled = layer(`${name}.doubled`, 'Mul', [g.scalar(2), x]);
      const less = layer(`${name}.less`, 'Sub', [doubled, g.scalar(3)]);
      return layer(`${name}.halved`, 'Div', [layer(`${name}.more`, 'Add', [less, g.scalar(3)]), g.scalar(2)]);
    });
    const parameters = { epsilon: 1e-3, stabilizer: 1e-3 };
    expectClose(await relevance(scaled, parameters), await relevance(plain(), parameters));
  });

  it('not where somebody else takes what is before it', async () => {
    const network = (shortcut: boolean) =>
      classifying((layer, image, g) => {
        const conv = layer('conv', 'Conv', [image, named(g, [4, 2, 3, 3], 0.5)], padded);
        const parameters = [named(g, [4], 2), named(g, [4], 3), named(g, [4], 4), positive(g, [4], 5)];
        const norm = layer('norm', 'BatchNormalization', [conv, ...parameters]);
        return layer('relu', 'Relu', [
          shortcut ? layer('sum', 'Add', [norm, layer('zero', 'Mul', [conv, g.scalar(0)])]) : norm,
        ]);
      });
    const [merged, kept] = [await relevance(network(false)), await relevance(network(true))];
    const [a, b] = [merged.data, kept.data];
    expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))).toBeGreaterThan(
      0.01 * Math.max(...a.map(Math.abs)),
    );
  });

  it('of a dense layer as of Gemm, and of a layer normalisation however it is spelled', async () => {
    const dense = (spelled: boolean) =>
      networkOf([2, 6, 6], (layer, image, g) => {
        const [w, b] = [named(g, [72, 5], 0.5), named(g, [5], 3)];
        const x = layer('flat', 'Flatten', [image]);
        const hidden = spelled
          ? layer('add', 'Add', [b, layer('product', 'MatMul', [x, w])])
          : layer('gemm', 'Gemm', [x, w, b], { alpha: { float: 1 } });
        const normal = (scaled: boolean) =>
          scaled ? [named(g, [5], 4), named(g, [5], 5)] : [g.floats([5], [1, 1, 1, 1, 1])];
        const plain = layer('norm', 'LayerNormalization', [hidden, ...normal(!spelled)], { axis: -1 });
        const [factor, shift] = normal(true);
        const whole = spelled
          ? layer('shift', 'Add', [layer('scale', 'Mul', [plain, factor!]), shift!])
          : plain;
        return layer('logits', 'Gemm', [layer('act', 'Tanh', [whole]), named(g, [5, 3], 6)]);
      });
    const parameters = { epsilon: 0.01, stabilizer: 0.01 };
    expectClose(await relevance(dense(true), parameters), await relevance(dense(false), parameters));
  });
});

describe('Relevance', () => {
  const activated = (op: OperatorName, attributes: Attributes = {}) =>
    classifying((layer, image, g) => {
      const hidden = layer('c1', 'Conv', [image, named(g, [3, 2, 3, 3], 0.5), named(g, [3], 0.3)], padded);
      const passed = layer('a1', op, [hidden], attributes);
      const sum = layer('sum', 'Add', [passed, layer('more', 'Mul', [passed, g.scalar(0.5)])]);
      const pooled = layer('max', 'MaxPool', [sum], { kernel_shape: [2, 2], strides: [2, 2] });
      return layer('a2', op, [layer('c2', 'Conv', [pooled, named(g, [4, 3, 3, 3], 1)], padded)], attributes);
    }, false);

  it.each([
    ['Relu', {}],
    ['LeakyRelu', { alpha: { float: 0.2 } }],
    ['Tanh', {}],
    ['Sigmoid', {}],
    ['HardSwish', {}],
    ['Elu', {}],
  ] as const)('adds up to the logit where no bias takes any: with %s', async (op, attributes) => {
    const model = activated(op, attributes);
    const { attribution, logits } = await explain(
      model,
      { method: 'lrp', parameters: { zero_params: 'bias' } },
      images,
      [1, 0],
    );
    const expected = [logits.data[1]!, logits.data[3]!];
    expect(sums(attribution)).toEqual(expected.map((v) => expect.closeTo(v, 4)));
  });

  it('of a gate goes half to what is gated, half to the gate', async () => {
    const gated = (twice: boolean) =>
      classifying((layer, image, g) => {
        const x = layer('r', 'Relu', [layer('c', 'Conv', [image, named(g, [4, 2, 1, 1], 0.7)])]);
        return twice ? layer('product', 'Mul', [x, layer('s', 'Tanh', [x])]) : layer('same', 'Tanh', [x]);
      }, false);
    const parameters = { zero_params: 'bias' };
    for (const model of [gated(true), gated(false)]) {
      const { logits, attribution } = await explain(model, { method: 'lrp', parameters }, images, [1, 0]);
      expect(sums(attribution)).toEqual([logits.data[1]!, logits.data[3]!].map((v) => expect.closeTo(v, 4)));
    }
  });

  it('does not pass a product with 0, such as a class token that is made of the image', async () => {
    const token = classifying((layer, image, g) => {
      const x = layer('r', 'Relu', [layer('c', 'Conv', [image, named(g, [4, 2, 1, 1], 0.7)])]);
      const learned = layer('token', 'Add', [layer('nothing', 'Mul', [x, g.scalar(0)]), g.scalar(3)]);
      return layer('tokens', 'Concat', [learned, x], { axis: 3 });
    });
    const without = classifying((layer, image, g) => {
      const x = layer('r', 'Relu', [layer('c', 'Conv', [image, named(g, [4, 2, 1, 1], 0.7)])]);
      const learned = g.floats([1, 4, 6, 6], Array<number>(144).fill(3));
      const all = layer('token', 'Expand', [learned, layer('size', 'Shape', [x])]);
      return layer('tokens', 'Concat', [all, x], { axis: 3 });
    });
    const [found, expected] = [await relevance(token), await relevance(without)];
    expectClose(found, expected);
    const { logits } = await explain(token, { method: 'lrp' }, images, [1, 0]);
    expect(Math.abs(sums(found)[0]!)).toBeLessThan(0.9 * Math.abs(logits.data[1]!));
  });

  it('is finite of an image of zeros, and behind an attention that a mask closes', async () => {
    const zeros = float32([2, 2, 6, 6], new Float32Array(144));
    for (const composite of ['epsilon-plus', 'epsilon-plus-flat', 'epsilon-alpha2-beta1', 'epsilon'])
      expect((await relevance(activated('Relu'), { composite }, zeros)).data.every(Number.isFinite)).toBe(
        true,
      );
    const masked = classifying((layer, image, g) => {
      const mask = g.floats(
        [6, 6],
        Array.from({ length: 36 }, (_, i) => (i % 6 > Math.floor(i / 6) ? -Infinity : 0)),
      );
      const weights = layer('s', 'Softmax', [layer('m', 'Add', [image, mask])], { axis: -1 });
      const seen = layer('v', 'MatMul', [weights, image]);
      return layer('c', 'Conv', [seen, named(g, [4, 2, 1, 1], 0.7)]);
    });
    const found = await relevance(masked);
    expect(found.data.every(Number.isFinite)).toBe(true);
    expect(Math.max(...found.data)).toBeGreaterThan(0);
  });

  it('that overflows is said to be the method’s, not the model’s', async () => {
    const zeros = float32([2, 2, 6, 6], new Float32Array(144));
    const parameters = { composite: 'epsilon', epsilon: 1e-50, stabilizer: 1e-50 };
    const model = classifying(
      (layer, image, g) => layer('c', 'Conv', [image, named(g, [4, 2, 1, 1], 0.7)]),
      false,
    );
    await expect(relevance(model, parameters, zeros)).rejects.toThrow('lrp gives NaN or infinite values');
  });

  it('of a sum of classes is the sum of both, and of pixels that do not count is 0', async () => {
    const model = classifying((layer, image, g) => {
      const seen = Array.from({ length: 36 }, (_, i) => Number(i % 6 < 5));
      const x = layer('seen', 'Mul', [image, g.floats([1, 1, 6, 6], seen)]);
      const conv = layer('c', 'Conv', [x, named(g, [4, 2, 3, 3], 0.7), named(g, [4], 0.2)], padded);
      return layer('r', 'Relu', [conv]);
    });
    const of = async (target: Parameters<typeof explain>[3][number]) =>
      (await explain(model, { method: 'lrp' }, images, [target, target])).attribution;
    const both = await of([
      { class: 0, weight: 1 },
      { class: 2, weight: -1 },
    ]);
    const [one, two] = [await of(0), await of(2)];
    expectClose(
      both,
      float32(
        both.shape,
        one.data.map((v, i) => v - two.data[i]!),
      ),
      one,
    );
    expect(both.data.filter((_, i) => i % 6 === 5).every((v) => v === 0)).toBe(true);
  });
});

describe('The bounds of pixels', () => {
  const mean = [0.5, 0.3];
  const std = [0.25, 0.4];
  /** Normalised outside, or by the model itself, in another layout besides. */
  const network = (own: boolean) =>
    networkOf(own ? [6, 6, 2] : [2, 6, 6], (layer, image, g) => {
      let x = image;
      if (own) {
        x = layer('less', 'Sub', [
          layer('nchw', 'Transpose', [image], { perm: [0, 3, 1, 2] }),
          g.floats([2, 1, 1], mean),
        ]);
        x = layer('normal', 'Div', [
          x,
          g.floats(
            [2, 1, 1],
            std.map((v) => -v),
          ),
        ]);
      }
      const weights = wave([4, 2, 3, 3], 0.5).data.map((v) => (own ? -v : v));
      const conv = layer('c', 'Conv', [x, g.floats([4, 2, 3, 3], weights), named(g, [4], 0.3)], padded);
      const pooled = layer('pool', 'GlobalAveragePool', [layer('r', 'Relu', [conv])]);
      return layer('logits', 'Gemm', [layer('flat', 'Flatten', [pooled]), named(g, [4, 3], 2)]);
    });
  const pixels = wave([2, 2, 6, 6], 0.4, 0.4).data.map((v) => v + 0.5);
  const normal = float32(
    [2, 2, 6, 6],
    pixels.map((v, i) => (v - mean[Math.floor(i / 36) % 2]!) / std[Math.floor(i / 36) % 2]!),
  );
  const parameters = { composite: 'epsilon-gamma-box' };

  it('come from mean and std, and follow the pixels through a normalisation inside the model', async () => {
    const spec = { method: 'lrp', parameters, normalisation: { mean, std } };
    const outside = await explain(network(false), spec, normal, [1, 0]);
    const last = float32(
      [2, 6, 6, 2],
      Array.from({ length: 144 }, (_, i) => {
        const [n, place, channel] = [Math.floor(i / 72), Math.floor((i % 72) / 2), i % 2];
        return pixels[n * 72 + channel * 36 + place]!;
      }),
    );
    const inside = await explain(
      network(true),
      { method: 'lrp', parameters: { ...parameters, low: 0, high: 1 } },
      last,
      [1, 0],
    );
    const turned = Array.from({ length: 144 }, (_, i) => {
      const [n, channel, place] = [Math.floor(i / 72), Math.floor((i % 72) / 36), i % 36];
      return inside.attribution.data[n * 72 + place * 2 + channel]!;
    });
    expectClose(float32([2, 2, 6, 6], turned), outside.attribution);
  });

  it('of a model that takes bytes reach to 255', async () => {
    const spec = (normalisation: object) => ({ method: 'lrp', parameters, normalisation }) as never;
    const bytes = await explain(
      network(false),
      spec({ mean: mean.map((v) => v * 255), std: std.map((v) => v * 255), white: 255 }),
      normal,
      [1, 0],
    );
    const parts = await explain(network(false), spec({ mean, std }), normal, [1, 0]);
    expectClose(bytes.attribution, parts.attribution);
  });

  it('are asked for where nothing says them, and where the first convolution sees no pixels', async () => {
    await expect(explain(network(false), { method: 'lrp', parameters }, normal, [1, 0])).rejects.toThrow(
      'low "black" is (0 - mean)/std: give the model\'s mean and std',
    );
    const late = classifying((layer, image, g) =>
      layer('c', 'Conv', [
        layer('mean', 'AveragePool', [image], { kernel_shape: [2, 2] }),
        named(g, [4, 2, 1, 1], 1),
      ]),
    );
    await expect(relevance(late, { ...parameters, low: 0, high: 1 })).rejects.toThrow(
      'composite "epsilon-gamma-box" needs a first convolution that sees the image\'s pixels; here it sees "mean"',
    );
    await expect(relevance(late, { ...parameters, low: [0, 0, 0], high: 1 })).rejects.toThrow(
      'parameter "low" has 3 values, the model\'s images have 2 channels',
    );
  });
});

describe('Parameters that LRP had before composites', () => {
  it.each([
    ['rule', 'gamma', 'composite says which rule each kind of layer has'],
    ['first', 2, 'has a rule of its own for the first layer'],
  ] as const)('%s is refused with a word on what to give', async (name, value, sentence) => {
    await expect(relevance(activatedOnce, { [name]: value })).rejects.toThrow(sentence);
  });
  const activatedOnce = classifying((layer, image, g) =>
    layer('c', 'Conv', [image, named(g, [4, 2, 1, 1], 0.7)]),
  );
});
