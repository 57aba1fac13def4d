import { describe, expect, it } from 'vitest';
import { differentiate } from '../autodiff/differentiate.ts';
import { gradientRules } from '../autodiff/gradient.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { writeModel } from '../onnx/write.ts';
import { float32, tensor } from '../tensor.ts';
import { constant, x } from '../testing/cases.ts';
import { describeFacts } from '../testing/fact-cases.ts';
import { cpu } from '../testing/ort.ts';
import { rule, single } from '../testing/rule-cases.ts';
import { newGraph } from './new-graph.ts';
import { quantization } from './quantization.ts';

/** The gradient of Σ weight·f(x), x [1, 2, n], with f between a quantization and its inverse. */
async function gradientOf(
  x: readonly number[],
  scale: readonly number[],
  zero: Int8Array | Uint8Array,
  between = (_: GraphBuilder, q: Value): Value => q,
): Promise<number[]> {
  const g = newGraph(17);
  const shape = [1, 2, x.length / 2];
  const per = scale.length === 1 ? [] : [scale.length];
  const s = g.constant(float32(per, scale));
  const z = g.constant(
    zero instanceof Int8Array
      ? tensor('int8', per, zero as Int8Array<ArrayBuffer>)
      : tensor('uint8', per, zero as Uint8Array<ArrayBuffer>),
  );
  const q = g.emit('QuantizeLinear', [g.input('x', 'float32', shape), s, z], { axis: 1 });
  const y = g.emit('DequantizeLinear', [between(g, q), s, z], { axis: 1 });
  const weight = g.input('seed', 'float32', g.shape(y));
  const [dx] = differentiate(g, new Map([[y, weight]]), ['x'], gradientRules);
  const bytes = writeModel(g.graph('q', [dx!]), [{ name: dx!, dtype: 'float32', shape }]);
  const session = await cpu.load(bytes);
  const size = g.shape(y).reduce((a, b) => a * b, 1);
  const seed = float32(
    g.shape(y),
    Array.from({ length: size }, (_, i) => i + 1),
  );
  const results = await session.run({ x: float32(shape, x), seed });
  await session.close();
  return [...(results[dx!]!.data as Float32Array)];
}

describe('quantization is passed straight through, except where it cut off', () => {
  it('int8, one scale', async () => {
    const x = [-13, -12.9, 0.03, 12.6, 12.7, 13]; // levels -128.. 127 of 0.1 around 1: -12.9 to 12.6
    expect(await gradientOf(x, [0.1], Int8Array.of(1))).toEqual([0, 2, 3, 4, 0, 0]);
  });

  it('uint8, a scale per channel', async () => {
    const x = [-1, 0, 25.5, -1, 0, 300];
    expect(await gradientOf(x, [0.1, 2], Uint8Array.of(0, 128))).toEqual([0, 2, 3, 4, 5, 0]);
  });

  it('through operators on the quantized numbers', async () => {
    const pooled = await gradientOf([1, 3, 2, 4, 0, 1], [0.1], Int8Array.of(0), (g, q) =>
      g.emit('MaxPool', [q], { kernel_shape: [3], strides: [3] }),
    );
    expect(pooled).toEqual([0, 1, 0, 2, 0, 0]);
  });
});

const steps = [constant(float32([], [0.1])), constant(tensor('uint8', [], Uint8Array.of(100)))];
describeFacts('quantization', quantization, [
  rule('QuantizeLinear', 'plain', [x(2, 3), ...steps], {}, single),
  rule(
    'DequantizeLinear',
    'plain',
    [constant(tensor('uint8', [3], Uint8Array.of(1, 50, 90))), ...steps],
    {},
    single,
  ),
  rule('DynamicQuantizeLinear', 'plain', [x(2, 3)], {}, { ...single, outputs: 3, used: [0] }),
]);
