import { describe, expect, it } from 'vitest';
import { createExplainer } from '../explainer.ts';
import { readClassifier } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { add, div, mul, neg, number, scale, shift, sub } from '../onnx/emit.ts';
import { type Attributes, float } from '../onnx/graph.ts';
import { isStandardOperator, type OperatorName } from '../onnx/operator-names.ts';
import { operatorsThat } from '../operators/table.ts';
import { float32, tensor } from '../tensor.ts';
import { networkOf } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';

// A small network's last activation is the layer that a CAM finds, whatever it is: Conv (weights and outputs above
// zero), the activation, global average, linear.

const [channels, classes, size] = [3, 2, 4];
const wave = (n: number, low: number, high: number) =>
  Float32Array.from({ length: n }, (_, i) => low + ((i * 0.37) % 1) * (high - low));
const linear = wave(classes * channels, -1, 1);
const image = float32([1, 2, size, size], wave(2 * size * size, 0.1, 1));

/** What follows the data of an operator, as constants. */
const parameters: Readonly<Partial<Record<OperatorName, (g: GraphBuilder) => Value[]>>> = {
  Clip: (g) => [g.scalar(0.4), g.scalar(0.8)],
  PRelu: (g) => [g.floats([channels, 1, 1], [0.1, 0.2, 0.3])],
  Pow: (g) => [g.scalar(3)],
  Mod: (g) => [g.scalar(0.6)],
  CastLike: (g) => [g.scalar(1)],
  BatchNormalization: (g) => [1, 2, 3, 4].map((k) => g.floats([channels], [k, 0.5, 1])),
};
const attributes: Readonly<Partial<Record<OperatorName, Attributes>>> = {
  Cast: { to: 1 },
  Mod: { fmod: 1 },
  Shrink: { lambd: float(0.5) },
  ThresholdedRelu: { alpha: float(0.5) },
};
/** What has no floats for a result, or is written between others. */
const noActivations: readonly OperatorName[] = [
  'QuantizeLinear',
  'DequantizeLinear',
  'Identity',
  'Trilu',
  'Not',
];

type Make = (g: GraphBuilder, x: Value) => readonly [OperatorName, readonly Value[], Attributes?];
const single: [string, Make][] = operatorsThat(({ elementwise, vjp }) => elementwise && vjp !== null)
  .filter((op) => isStandardOperator(op) && !noActivations.includes(op))
  .map((op) => [op, (g, x) => [op, inputsOf(g, op, x), attributes[op] ?? {}]]);

function inputsOf(g: GraphBuilder, op: OperatorName, x: Value): Value[] {
  if (op === 'Where') return [g.emit('Greater', [x, number(g, 0.6, x)]), x, scale(g, x, 0.2)];
  if (op === 'Acosh') return [shift(g, x, 1)];
  const given = parameters[op]?.(g);
  if (given) return [x, ...given];
  return /^(Add|Sub|Mul|Div|Max|Min|Sum|Mean)$/.test(op) ? [x, number(g, 0.7, x)] : [x];
}

/** Functions as exporters spell them. */
const spelled: [string, Make][] = [
  ['SiLU', (g, x) => ['Mul', [x, g.emit('Sigmoid', [x])]]],
  ['QuickGELU', (g, x) => ['Mul', [x, g.emit('Sigmoid', [scale(g, x, 1.702)])]]],
  ['LogSigmoid', (g, x) => ['Log', [g.emit('Sigmoid', [x])]]],
  ['LogSigmoid by Softplus', (g, x) => ['Neg', [g.emit('Softplus', [neg(g, x)])]]],
  ['Mish', (g, x) => ['Mul', [x, g.emit('Tanh', [g.emit('Softplus', [x])])]]],
  ['Softsign', (g, x) => ['Div', [x, shift(g, g.emit('Abs', [x]), 1)]]],
  ['HardSwish', (g, x) => ['Mul', [x, g.emit('HardSigmoid', [x], { alpha: float(1 / 6) })]]],
  ['ReLU6', (g, x) => ['Min', [g.emit('Relu', [x]), number(g, 6, x)]]],
  ['squared ReLU', (g, x) => ['Pow', [g.emit('Relu', [x]), number(g, 2, x)]]],
  ['Tanhshrink', (g, x) => ['Sub', [x, g.emit('Tanh', [x])]]],
  ['GELU', (g, x) => ['Mul', [scale(g, x, 0.5), shift(g, g.emit('Erf', [scale(g, x, Math.SQRT1_2)]), 1)]]],
  ['GELU by tanh', (g, x) => ['Mul', [scale(g, x, 0.5), shift(g, g.emit('Tanh', [cubic(g, x)]), 1)]]],
  [
    'Softplus beyond a threshold',
    (g, x) => ['Where', [g.emit('Greater', [x, number(g, 20, x)]), x, g.emit('Softplus', [x])]],
  ],
  ['a gate', (g, x) => ['Mul', [sub(g, x, number(g, 0.1, x)), g.emit('Sigmoid', [add(g, x, x)])]]],
  ['a ratio', (g, x) => ['Sqrt', [div(g, x, shift(g, mul(g, x, x), 1))]]],
];
const cubic = (g: GraphBuilder, x: Value): Value =>
  scale(g, add(g, x, scale(g, g.emit('Pow', [x, number(g, 3, x)]), 0.044715)), Math.sqrt(2 / Math.PI));

function network(make: Make, outputs: 'scores' | 'activation'): Uint8Array {
  return networkOf(
    [2, size, size],
    (layer, x, g) => {
      const kernel = g.constant(
        tensor('float32', [channels, 2, 1, 1], wave(2 * channels, 0.1, 0.5)),
        'kernel',
      );
      const conv = layer('conv', 'Conv', [x, kernel]);
      g.scope = 'inner';
      const [op, inputs, how] = make(g, conv);
      g.scope = '';
      const activation = layer('activation', op, inputs, how);
      if (outputs === 'activation') return activation;
      const pooled = layer('flat', 'Flatten', [layer('pool', 'GlobalAveragePool', [activation])]);
      const weights = g.constant(tensor('float32', [classes, channels], linear), 'weights');
      return layer('logits', 'Gemm', [pooled, weights], { transB: 1 });
    },
    -1,
    24,
  );
}

describe.each([...single, ...spelled])('%s as the last activation', (_, make) => {
  const classifier = readClassifier(network(make, 'scores'));

  it('is the layer that is found, and can be asked for', async () => {
    for (const layers of [[], ['activation'], ['-1']]) {
      const explainer = await createExplainer(classifier, { method: 'grad-cam', layers }, cpu);
      expect(explainer.layers).toEqual(['activation']);
      await explainer.close();
    }
  });

  it('gives the Grad-CAM that a hook on it gives', async () => {
    const hooked = await cpu.load(network(make, 'activation'));
    const { activation } = await hooked.run({ image });
    await hooked.close();
    const [target, places] = [1, size * size];
    const expected = Array.from({ length: places }, (_, p) => {
      const terms = Array.from(
        { length: channels },
        (_, k) => (linear[target * channels + k]! / places) * Number(activation!.data[k * places + p]),
      );
      return Math.max(
        0,
        terms.reduce((a, b) => a + b),
      );
    });
    const explainer = await createExplainer(
      classifier,
      { method: 'grad-cam', parameters: { normalized: false } },
      cpu,
    );
    const { attribution } = await explainer.attribute(image, [target]);
    await explainer.close();
    for (const [p, v] of expected.entries()) expect(attribution.data[p]).toBeCloseTo(v, 6);
  });
});
