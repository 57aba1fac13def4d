import { describe, expect, it } from 'vitest';
import { readModel } from '../onnx/read.ts';
import { type Attributes, attributesOf, canonical, outputsOf } from '../testing/canonical.ts';
import { onnxFile, type TensorInit, value } from '../testing/onnx-file.ts';

interface Old {
  readonly op: string;
  readonly opset: number;
  readonly title: string;
  readonly shape: readonly number[];
  readonly attributes?: Attributes;
  /** Constant inputs after the image: floats, or integers as bigints. */
  readonly constants?: readonly (readonly (number | bigint)[])[];
  readonly outputs?: number;
}

const constantOf = (elements: readonly (number | bigint)[], i: number): TensorInit =>
  typeof elements[0] === 'bigint'
    ? { name: `c${i}`, dims: [BigInt(elements.length)], dataType: 7, int64Data: elements as bigint[] }
    : { name: `c${i}`, dims: [BigInt(elements.length)], dataType: 1, floatData: elements as number[] };

function fileOf({ op, opset, shape, attributes = {}, constants = [], outputs = 1 }: Old): Uint8Array {
  const names = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const initializer = constants.map(constantOf);
  const node = [
    {
      opType: op,
      name: 'it',
      input: ['image', ...initializer.map((c) => c.name!)],
      output: names,
      attribute: attributesOf(attributes),
    },
  ];
  const output = names.map((name) => ({ name, type: { tensorType: { elemType: 1 } } }));
  return onnxFile(
    { node, initializer, input: [value('image', ...shape)], output },
    { opsetImport: [{ version: BigInt(opset) }] },
  );
}

const image = [2, 4, 6, 6];
const olds: readonly Old[] = [
  {
    op: 'Squeeze',
    opset: 11,
    title: 'axes as an attribute',
    shape: [2, 1, 3, 1],
    attributes: { axes: [1, -1] },
  },
  { op: 'Unsqueeze', opset: 11, title: 'axes as an attribute', shape: [2, 3], attributes: { axes: [1, 3] } },
  {
    op: 'ReduceMean',
    opset: 11,
    title: 'axes as an attribute',
    shape: image,
    attributes: { axes: [2, 3], keepdims: 0 },
  },
  { op: 'ReduceSum', opset: 11, title: 'axes as an attribute', shape: image, attributes: { axes: [-1] } },
  { op: 'ReduceMax', opset: 13, title: 'axes as an attribute', shape: image, attributes: { axes: [1] } },
  { op: 'ReduceL2', opset: 17, title: 'no axes', shape: [2, 3], attributes: { keepdims: 1 } },
  {
    op: 'Slice',
    opset: 9,
    title: 'starts, ends, axes as attributes',
    shape: image,
    attributes: { starts: [1, -3], ends: [3, 2n ** 63n - 1n], axes: [1, 3] },
  },
  {
    op: 'Slice',
    opset: 9,
    title: 'without axes',
    shape: image,
    attributes: { starts: [0, 1], ends: [2, 3] },
  },
  {
    op: 'Pad',
    opset: 10,
    title: 'pads and value as attributes',
    shape: image,
    attributes: { pads: [0, 0, 1, 2, 0, 0, 0, 1], value: { f: 0.5 } },
  },
  {
    op: 'Pad',
    opset: 10,
    title: 'reflect',
    shape: image,
    attributes: { mode: 'reflect', pads: [0, 0, 1, 2, 0, 0, 0, 1] },
  },
  {
    op: 'Clip',
    opset: 10,
    title: 'bounds as attributes',
    shape: image,
    attributes: { min: { f: 0 }, max: { f: 1.25 } },
  },
  { op: 'Clip', opset: 10, title: 'from above only', shape: image, attributes: { max: { f: 1.25 } } },
  {
    op: 'Split',
    opset: 11,
    title: 'sizes as an attribute',
    shape: image,
    attributes: { axis: 1, split: [1, 3] },
    outputs: 2,
  },
  { op: 'Split', opset: 11, title: 'equal parts', shape: image, attributes: { axis: -1 }, outputs: 3 },
  { op: 'Softmax', opset: 11, title: 'everything after axis 1 together', shape: image },
  {
    op: 'Softmax',
    opset: 11,
    title: 'everything after axis 2 together',
    shape: image,
    attributes: { axis: 2 },
  },
  {
    op: 'Softmax',
    opset: 11,
    title: 'everything after axis -2 together',
    shape: image,
    attributes: { axis: -2 },
  },
  { op: 'Softmax', opset: 11, title: 'a matrix', shape: [2, 5] },
  { op: 'LogSoftmax', opset: 7, title: 'everything after axis 1 together', shape: image },
  {
    op: 'Upsample',
    opset: 7,
    title: 'scales as an attribute',
    shape: image,
    attributes: { mode: 'nearest', scales: { floats: [1, 1, 2, 1.5] } },
  },
  {
    op: 'Upsample',
    opset: 9,
    title: 'scales as an input',
    shape: image,
    attributes: { mode: 'nearest' },
    constants: [[1, 1, 2, 2]],
  },
  {
    op: 'Upsample',
    opset: 9,
    title: 'linear',
    shape: image,
    attributes: { mode: 'linear' },
    constants: [[1, 1, 2, 2]],
  },
  {
    op: 'Resize',
    opset: 10,
    title: 'nearest, without half pixels',
    shape: image,
    constants: [[1, 1, 1.5, 0.5]],
  },
  {
    op: 'Resize',
    opset: 10,
    title: 'linear, without half pixels',
    shape: image,
    attributes: { mode: 'linear' },
    constants: [[1, 1, 1.5, 2]],
  },
  {
    op: 'BatchNormalization',
    opset: 8,
    title: 'with what it had for training',
    shape: image,
    attributes: { momentum: { f: 0.9 }, epsilon: { f: 0.01 } },
    constants: [
      [1, 2, 3, 4],
      [0, 1, 0, 1],
      [0.5, 0, 0, 1],
      [1, 2, 3, 4],
    ],
  },
  {
    op: 'BatchNormalization',
    opset: 7,
    title: 'spatial',
    shape: image,
    attributes: { spatial: 1 },
    constants: [
      [1, 2, 3, 4],
      [0, 1, 0, 1],
      [0.5, 0, 0, 1],
      [1, 2, 3, 4],
    ],
  },
  {
    op: 'Dropout',
    opset: 11,
    title: 'ratio as an attribute',
    shape: image,
    attributes: { ratio: { f: 0.5 } },
  },
  { op: 'Flatten', opset: 7, title: 'default axis', shape: image },
  {
    op: 'MaxPool',
    opset: 8,
    title: 'auto_pad',
    shape: image,
    attributes: { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_LOWER' },
  },
  {
    op: 'MaxPool',
    opset: 10,
    title: 'indices by columns that nobody asks for',
    shape: image,
    attributes: { kernel_shape: [3, 3], storage_order: 1 },
  },
  {
    op: 'AveragePool',
    opset: 7,
    title: 'auto_pad',
    shape: image,
    attributes: { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' },
  },
  { op: 'DepthToSpace', opset: 10, title: 'without a mode', shape: image, attributes: { blocksize: 2 } },
  {
    op: 'GroupNormalization',
    opset: 18,
    title: 'scale and bias per group',
    shape: image,
    attributes: { num_groups: 2 },
    constants: [
      [1, 2],
      [0.5, 0],
    ],
  },
  {
    op: 'GroupNormalization',
    opset: 21,
    title: 'scale and bias per channel',
    shape: image,
    attributes: { num_groups: 2 },
    constants: [
      [1, 2, 3, 4],
      [0.5, 0, 0, 1],
    ],
  },
  {
    op: 'Split',
    opset: 18,
    title: 'num_outputs',
    shape: image,
    attributes: { axis: 1, num_outputs: 2 },
    outputs: 2,
  },
  { op: 'ReduceMean', opset: 18, title: 'axes as an input', shape: image, constants: [[2n, 3n]] },
];

describe('an operator of an older opset does the same once it is raised', () => {
  it.each(olds.map((old) => [`${old.op}-${old.opset}: ${old.title}`, old] as const))('%s', async (_, old) => {
    const file = fileOf(old);
    const expected = await outputsOf(file, old.shape);
    const { bytes, shapes } = canonical(file);
    const found = await outputsOf(bytes, old.shape);
    expect(found.map((t) => t.shape)).toEqual(expected.map((t) => t.shape));
    expect(shapes.map((shape) => shape.map((d) => (d === 'batch' ? 2 : d)))).toEqual(
      found.map((t) => t.shape),
    );
    found.forEach((t, k) => {
      t.data.forEach((v, i) => {
        expect(v).toBeCloseTo(Number(expected[k]!.data[i]), 6);
      });
    });
  });
});

describe('models of every opset are written at their own', () => {
  it.each([7, 9, 11, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26])('opset %i', async (opset) => {
    const file = fileOf({ op: 'Relu', opset, title: '', shape: image });
    const { graph, bytes } = canonical(file);
    expect(graph.opset).toBe(Math.max(opset, 17));
    expect(readModel(bytes).graph.opset).toBe(graph.opset);
    expect(await outputsOf(bytes, image)).toEqual(await outputsOf(file, image));
  });
});

describe('a batch norm in training mode', () => {
  const training = attributesOf({ training_mode: 1, epsilon: { f: 0.01 } });
  const norm = (x: string) => ({
    opType: 'BatchNormalization',
    name: 'norm',
    input: [x, 'scale', 'bias', 'bias', 'scale'],
    output: ['n', 'mean', 'var'],
    attribute: training,
  });
  const floats = (name: string, dims: bigint[], ...floatData: number[]) => ({
    name,
    dims,
    dataType: 1,
    floatData,
  });
  const initializer = [
    floats('w', [1n, 3n, 4n], 1, 2, 3, 6, -1, 1, -1, 1, 5, 5, 5, 6),
    floats('scale', [3n], 1, 2, 0.5),
    floats('bias', [3n], 0, -1, 1),
    { name: 'kernel', dims: [3n], dataType: 7, int64Data: [3n, 4n, 1n] },
  ];

  it('standardizes weights, as exporters write it', async () => {
    const sum = { opType: 'Add', name: 'a', input: ['image', 'column'], output: ['y'] };
    const column = { opType: 'Reshape', name: 'r', input: ['n', 'kernel'], output: ['column'] };
    const { bytes } = canonical(onnxFile({ node: [norm('w'), column, sum], initializer }));
    const [y] = await outputsOf(bytes, [1, 3, 4, 4]);
    const [zero] = await outputsOf(
      canonical(onnxFile({ node: [{ ...sum, input: ['image', 'image'] }] })).bytes,
      [1, 3, 4, 4],
    );
    const row = (k: number) => Number(y!.data[k]) - Number(zero!.data[k]) / 2;
    // (w - mean) / sqrt(variance + 0.01), times scale, plus bias; biased variances 3.5 and 1
    expect(row(0)).toBeCloseTo((1 - 3) / Math.sqrt(3.51), 5);
    expect(row(12)).toBeCloseTo((6 - 3) / Math.sqrt(3.51), 5);
    expect(row(16)).toBeCloseTo(-1 + (2 * -1) / Math.sqrt(1.01), 5);
  });

  it('of what comes from the image is refused', () => {
    const file = onnxFile({ node: [{ ...norm('image'), output: ['y'] }], initializer });
    expect(() => canonical(file)).toThrow('node "norm" (BatchNormalization) is in training mode');
    expect(() => canonical(file, 1)).toThrow('is in training mode');
  });
});
