import { describe, expect, it } from 'vitest';
import { compileExplainer } from '../explainer.ts';
import { readClassifier } from '../model/classifier.ts';
import { forwardModel } from '../programs/forward.ts';
import { float32, int64 } from '../tensor.ts';
import { explain } from '../testing/explain.ts';
import { type AttributeInit, onnxFile, type TensorInit, value } from '../testing/onnx-file.ts';
import { cpu } from '../testing/ort.ts';

const bytesOf = (...values: number[]) => Uint8Array.from(values, (v) => v & 255);
const tensorOf = (
  name: string,
  dataType: number,
  dims: number[],
  rawData: Uint8Array<ArrayBuffer>,
): TensorInit => ({
  name,
  dims: dims.map(BigInt),
  dataType,
  rawData,
});
const floats = (name: string, dims: number[], ...values: number[]): TensorInit => ({
  name,
  dims: dims.map(BigInt),
  dataType: 1,
  floatData: values,
});
const node = (opType: string, input: string[], output: string[], attribute: AttributeInit[] = []) => ({
  opType,
  name: output[0]!,
  input,
  output,
  attribute,
});

/** The gradient of a class score in the image, and whether the rewritten model scores as the file itself does. */
async function explained(bytes: Uint8Array, image: number[], target: number) {
  const classifier = readClassifier(bytes);
  const x = float32([1, ...classifier.inputShape], image);
  const file = await cpu.load(bytes);
  const forward = await cpu.load(forwardModel(classifier));
  const [[own], { logits }] = [Object.values(await file.run({ image: x })), await forward.run({ image: x })];
  const saliency = await cpu.load(
    compileExplainer(classifier, { method: 'saliency', parameters: { abs: false } }),
  );
  const { attribution } = await saliency.run({ image: x, class_index: int64([1], [target]) });
  for (const session of [file, forward, saliency]) await session.close();
  return {
    own: [...(own!.data as Float32Array)],
    logits: [...(logits!.data as Float32Array)],
    gradient: Array.from(attribution!.data as Float32Array, (v) => v + 0), // no -0
  };
}

/** mean over positions of w·x + b, x cut off to 0 … 25.5 and the result to -64 … 63.5; w = 1, -0.75. */
const convolution = onnxFile({
  node: [
    node('QuantizeLinear', ['image', 'xs', 'xz'], ['q']),
    node('QLinearConv', ['q', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz', 'b'], ['c']),
    node('DequantizeLinear', ['c', 'ys', 'yz'], ['r']),
    node('GlobalAveragePool', ['r'], ['y']),
  ],
  initializer: [
    floats('xs', [], 0.1),
    tensorOf('xz', 2, [], bytesOf(0)),
    tensorOf('w', 3, [2, 1, 1, 1], bytesOf(2, -3)),
    floats('ws', [2], 0.5, 0.25),
    tensorOf('wz', 3, [2], bytesOf(0, 0)),
    floats('ys', [], 0.5),
    tensorOf('yz', 2, [], bytesOf(128)),
    tensorOf('b', 6, [2], new Uint8Array(Int32Array.of(10, -40).buffer)), // 0.5, -1
  ],
  input: [value('image', 'batch', 1, 2, 2)],
  output: [value('y', 'batch', 2, 1, 1)],
});

describe('operators on quantized numbers are explained through the real numbers that these stand for', () => {
  it.each([
    [0, [0.25, 0.25, 0, 0]],
    [1, [-0.1875, -0.1875, 0, 0]],
  ])('QLinearConv with a scale per channel, class %i', async (target, expected) => {
    const { own, logits, gradient } = await explained(convolution, [1, 2, 30, -1], target);
    expect(logits).toEqual(own);
    expect(gradient).toEqual(expected.map(Math.fround));
  });

  it('QLinearMatMul with a scale per column', async () => {
    const bytes = onnxFile({
      node: [
        node('Flatten', ['image'], ['f']),
        node('QuantizeLinear', ['f', 'xs', 'xz'], ['q']),
        node('QLinearMatMul', ['q', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz'], ['c']),
        node('DequantizeLinear', ['c', 'ys', 'yz'], ['y']),
      ],
      initializer: [
        floats('xs', [], 0.1),
        tensorOf('xz', 3, [], bytesOf(1)),
        tensorOf('w', 3, [3, 2], bytesOf(2, -3, 5, 1, -7, 4)),
        floats('ws', [2], 0.5, 0.25),
        tensorOf('wz', 3, [2], bytesOf(1, 0)),
        floats('ys', [], 0.5),
        tensorOf('yz', 3, [], bytesOf(3)),
      ],
      input: [value('image', 'batch', 3, 1, 1)],
      output: [value('y', 'batch', 2)],
    });
    const { own, logits, gradient } = await explained(bytes, [1, -2, 20], 0); // 20 is cut off at 12.6
    expect(logits).toEqual(own);
    expect(gradient).toEqual([0.5, 2, 0]);
  });

  it('MatMulInteger after dynamic quantization', async () => {
    const bytes = onnxFile({
      node: [
        node('Flatten', ['image'], ['f']),
        node('DynamicQuantizeLinear', ['f'], ['q', 'xs', 'xz']),
        node('MatMulInteger', ['q', 'w', 'xz', 'wz'], ['i']),
        node('Cast', ['i'], ['c'], [{ name: 'to', type: 2, i: 1n }]),
        node('Mul', ['xs', 'ws'], ['s']),
        node('Mul', ['c', 's'], ['y']),
      ],
      initializer: [
        tensorOf('w', 3, [3, 2], bytesOf(2, -3, 5, 1, -7, 4)),
        tensorOf('wz', 3, [2], bytesOf(1, 0)),
        floats('ws', [2], 0.5, 0.25),
      ],
      input: [value('image', 1, 3, 1, 1)],
      output: [value('y', 1, 2)],
    });
    const { own, logits, gradient } = await explained(bytes, [1, -2, 20], 1);
    for (const [k, score] of logits.entries()) expect(score).toBeCloseTo(own[k]!, 4);
    for (const [k, slope] of gradient.entries()) expect(slope).toBeCloseTo([-0.75, 0.25, 1][k]!, 5);
  });

  it('ConvInteger, padded, on numbers of a known scale', async () => {
    const bytes = onnxFile({
      node: [
        node('QuantizeLinear', ['image', 'xs', 'xz'], ['q']),
        node(
          'ConvInteger',
          ['q', 'w', 'xz', 'wz'],
          ['i'],
          [{ name: 'pads', type: 7, ints: [0n, 1n, 0n, 1n] }],
        ),
        node('Cast', ['i'], ['c'], [{ name: 'to', type: 2, i: 1n }]),
        node('Mul', ['c', 'xs'], ['r']),
        node('GlobalAveragePool', ['r'], ['y']),
      ],
      initializer: [
        floats('xs', [], 0.1),
        tensorOf('xz', 2, [], bytesOf(100)),
        tensorOf('w', 2, [1, 1, 1, 3], bytesOf(7, 2, 9)),
        tensorOf('wz', 2, [], bytesOf(4)), // 3, -2, 5
      ],
      input: [value('image', 'batch', 1, 1, 3)],
      output: [value('y', 'batch', 1, 1, 1)],
    });
    const { own, logits, gradient } = await explained(bytes, [1, -2, 3], 0);
    expect(logits[0]).toBeCloseTo(own[0]!, 5);
    for (const [k, slope] of gradient.entries()) expect(slope).toBeCloseTo([1 / 3, 2, 1][k]!, 5);
  });
});

/** Two convolutions in whole numbers, by operators on these or, as QDQ files have it, between real numbers. */
function twoConvolutions(form: 'QOperator' | 'QDQ'): Uint8Array {
  const scales = ['s0', 's1', 's2'];
  const convolve = (k: number, x: string, y: string) =>
    form === 'QOperator'
      ? [node('QLinearConv', [x, scales[k]!, 'z', `w${k}`, 'ws', 'wz', scales[k + 1]!, 'z'], [y])]
      : [
          node('DequantizeLinear', [x, scales[k]!, 'z'], [`${x}/real`]),
          node('DequantizeLinear', [`w${k}`, 'ws', 'wz'], [`${y}/weights`]),
          node('Conv', [`${x}/real`, `${y}/weights`], [`${y}/sums`]),
          node('QuantizeLinear', [`${y}/sums`, scales[k + 1]!, 'z'], [y]),
        ];
  return onnxFile({
    node: [
      node('QuantizeLinear', ['image', 's0', 'z'], ['q']),
      ...convolve(0, 'q', 'first'),
      ...convolve(1, 'first', 'second'),
      node('DequantizeLinear', ['second', 's2', 'z'], ['end']),
      node('GlobalAveragePool', ['end'], ['y']),
    ],
    initializer: [
      floats('s0', [], 0.017),
      floats('s1', [], 0.023),
      floats('s2', [], 0.031),
      floats('ws', [], 0.011),
      tensorOf('z', 2, [], bytesOf(117)),
      tensorOf('wz', 3, [], bytesOf(0)),
      tensorOf('w0', 3, [4, 2, 2, 2], bytesOf(...Array.from({ length: 32 }, (_, i) => ((i * 37) % 90) - 45))),
      tensorOf('w1', 3, [3, 4, 1, 1], bytesOf(...Array.from({ length: 12 }, (_, i) => ((i * 29) % 90) - 45))),
    ],
    input: [value('image', 'batch', 2, 5, 5)],
    output: [value('y', 'batch', 3, 1, 1)],
  });
}

describe('a map that a file has in whole numbers only is a layer, by the name of those', () => {
  const images = float32(
    [2, 2, 5, 5],
    Array.from({ length: 100 }, (_, i) => Math.sin(i * 0.7) + 0.2 * Math.cos(i * i)),
  );

  it.each(['grad-cam', 'ablation-cam', 'layer-conductance', 'layer-feature-ablation', 'score-cam'])(
    '%s gives what it gives of the real numbers',
    async (method) => {
      const spec = { method, layers: ['first/real'] };
      const [own, twin] = [
        await explain(twoConvolutions('QOperator'), spec, images, [0, 2]),
        await explain(twoConvolutions('QDQ'), spec, images, [0, 2]),
      ];
      expect(Math.max(...own.attribution.data)).toBeGreaterThan(0);
      expect([...own.attribution.data]).toEqual([...twin.attribution.data]);
    },
  );
});
