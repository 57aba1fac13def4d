import { describe, expect, it } from 'vitest';
import { float32, sizeOf, type Tensor } from '../tensor.ts';
import { type AttributeInit, onnxFile, type TensorInit, value } from '../testing/onnx-file.ts';
import { cpu } from '../testing/ort.ts';
import { canonicalize } from './canonicalize.ts';
import { listing } from './listing.ts';
import { readModel } from './read.ts';
import { writeModel } from './write.ts';

type Attributes = Readonly<
  Record<string, number | readonly (number | bigint)[] | string | { f: number } | { floats: number[] }>
>;

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

const attributesOf = (attributes: Attributes): AttributeInit[] =>
  Object.entries(attributes).map(([name, v]): AttributeInit => {
    if (typeof v === 'number') return { name, type: 2, i: BigInt(v) };
    if (typeof v === 'string') return { name, type: 3, s: new TextEncoder().encode(v) };
    if ('f' in v) return { name, type: 1, f: v.f };
    return 'floats' in v ? { name, type: 6, floats: v.floats } : { name, type: 7, ints: v.map(BigInt) };
  });

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

function canonical(bytes: Uint8Array, batch?: number) {
  const { graph } = readModel(bytes);
  const { builder: g, resolve } = canonicalize(
    graph,
    (b) =>
      new Map(
        graph.inputs.map(({ name, shape }) => [
          name,
          b.input(name, 'float32', [-1, ...(shape.slice(1) as number[])]),
        ]),
      ),
    batch,
  );
  const outputs = graph.outputs.map(resolve);
  const types = outputs.map((name) => ({
    name,
    dtype: 'float32' as const,
    shape: g.shape(name).map((d) => (d < 0 ? 'batch' : d)),
  }));
  const made = g.graph('canonical', outputs);
  return { graph: made, shapes: types.map((type) => type.shape), bytes: writeModel(made, types) };
}

async function outputsOf(bytes: Uint8Array, shape: readonly number[]): Promise<Tensor[]> {
  const session = await cpu.load(bytes);
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 1.7) * 2);
  const results = await session.run({ image: float32(shape, data) });
  await session.close();
  return Object.values(results);
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

describe('Attention is written out', () => {
  const bias = {
    name: 'bias',
    dims: [4n, 4n],
    dataType: 1,
    floatData: Array.from({ length: 16 }, (_, i) => Math.cos(i)),
  };
  const look = {
    name: 'look',
    dims: [4n, 4n],
    dataType: 9,
    int32Data: Array.from({ length: 16 }, (_, i) => Number(i % 3 > 0)),
  };
  it.each([
    ['heads as an axis', ['image', 'image', 'image'], {}, 4],
    ['a scale', ['image', 'image', 'image'], { scale: { f: 0.25 } }, 4],
    ['a bias', ['image', 'image', 'image', 'bias'], {}, 4],
    ['a mask', ['image', 'image', 'image', 'look'], {}, 4],
    ['heads folded into the last axis', ['rows', 'rows', 'rows'], { q_num_heads: 2, kv_num_heads: 2 }, 3],
  ] as const)('%s', async (_, input, attributes, rank) => {
    const fold = { opType: 'Reshape', name: 'r', input: ['image', 'shape'], output: ['rows'] };
    const it = {
      opType: 'Attention',
      name: 'it',
      input: [...input],
      output: ['y'],
      attribute: attributesOf(attributes),
    };
    const initializer = [bias, look, { name: 'shape', dims: [3n], dataType: 7, int64Data: [0n, 0n, -1n] }];
    const output = [{ name: 'y', type: { tensorType: { elemType: 1 } } }];
    const node = rank === 3 ? [fold, it] : [it];
    const file = onnxFile({ node, initializer, output }, { opsetImport: [{ version: 23n }] });
    const { graph, bytes } = canonical(file);
    expect(graph.nodes.some((n) => n.op === 'Attention')).toBe(false);
    const [expected, found] = [await outputsOf(file, [2, 3, 4, 4]), await outputsOf(bytes, [2, 3, 4, 4])];
    expect(found[0]!.shape).toEqual(expected[0]!.shape);
    found[0]!.data.forEach((v, i) => {
      expect(v).toBeCloseTo(Number(expected[0]!.data[i]), 5);
    });
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

describe('a gather that is something simpler', () => {
  it('of every element in order is a Reshape, however large the batch', async () => {
    const ints = (name: string, ...values: number[]) => ({
      name,
      dims: [BigInt(values.length)],
      dataType: 7,
      int64Data: values.map(BigInt),
    });
    const scalar = (name: string, v: number) => ({ name, dims: [], dataType: 7, int64Data: [BigInt(v)] });
    const node = [
      { opType: 'Reshape', name: 'r', input: ['image', 'minus'], output: ['flat'] },
      {
        opType: 'Shape',
        name: 's',
        input: ['image'],
        output: ['shape'],
        attribute: attributesOf({ end: 1 }),
      },
      { opType: 'Squeeze', name: 'q', input: ['shape'], output: ['batch'] },
      { opType: 'Range', name: 'n', input: ['zero', 'batch', 'one'], output: ['rows'] },
      { opType: 'Mul', name: 'm', input: ['rows', 'stride'], output: ['starts'] },
      { opType: 'Unsqueeze', name: 'u', input: ['starts', 'last'], output: ['column'] },
      { opType: 'Add', name: 'a', input: ['column', 'offsets'], output: ['index'] },
      { opType: 'Gather', name: 'g', input: ['flat', 'index'], output: ['y'] },
    ];
    const initializer = [
      ints('minus', -1),
      scalar('zero', 0),
      scalar('one', 1),
      ints('stride', 48),
      ints('last', 1),
      ints('offsets', ...Array(48).keys()),
    ];
    const file = onnxFile({ node, initializer });
    expect(listing(canonical(file).graph)).toMatchInlineSnapshot(`
      "(image: float32 [batch, 3, 4, 4])
      flat = Reshape(image, [-1])
      y = Reshape(flat, [-1 48])
      return y"
    `);
    expect(await outputsOf(canonical(file).bytes, [3, 3, 4, 4])).toEqual(await outputsOf(file, [3, 3, 4, 4]));
  });

  it('by known tuples is a Gather along one axis', async () => {
    const node = [
      {
        opType: 'Transpose',
        name: 't',
        input: ['image'],
        output: ['moved'],
        attribute: attributesOf({ perm: [2, 3, 0, 1] }),
      },
      { opType: 'GatherND', name: 'g', input: ['moved', 'tuples'], output: ['y'] },
    ];
    const initializer = [
      { name: 'tuples', dims: [3n, 2n], dataType: 7, int64Data: [0n, 1n, 3n, -1n, 0n, 1n] },
    ];
    const file = onnxFile({ node, initializer });
    expect(canonical(file).graph.nodes.map((n) => n.op)).toEqual(['Transpose', 'Reshape', 'Gather']);
    expect(await outputsOf(canonical(file).bytes, [2, 3, 4, 4])).toEqual(await outputsOf(file, [2, 3, 4, 4]));
  });
});

describe('what canonicalize leaves out', () => {
  it('pads that follow from the size, as for an even division by a stride', () => {
    const scalar = (name: string, dataType: number, v: number) =>
      dataType === 7
        ? { name, dims: [], dataType, int64Data: [BigInt(v)] }
        : { name, dims: [], dataType, floatData: [v] };
    const list = (name: string, ...values: number[]) => ({
      name,
      dims: [BigInt(values.length)],
      dataType: 7,
      int64Data: values.map(BigInt),
    });
    const to = (i: number) => attributesOf({ to: i });
    const node = [
      { opType: 'Shape', name: 's', input: ['image'], output: ['shape'] },
      { opType: 'Gather', name: 'g', input: ['shape', 'three'], output: ['width'] },
      { opType: 'Cast', name: 'f', input: ['width'], output: ['real'], attribute: to(1) },
      { opType: 'Sub', name: 'm', input: ['five', 'real'], output: ['missing'] },
      { opType: 'Clip', name: 'c', input: ['missing', 'none'], output: ['total'] },
      { opType: 'Relu', name: 'r', input: ['total'], output: ['again'] },
      { opType: 'Cast', name: 'i', input: ['again'], output: ['whole'], attribute: to(7) },
      { opType: 'Unsqueeze', name: 'u', input: ['whole', 'zero'], output: ['after'] },
      {
        opType: 'Concat',
        name: 'p',
        input: ['before', 'after'],
        output: ['pads'],
        attribute: attributesOf({ axis: 0 }),
      },
      { opType: 'Pad', name: 'y', input: ['image', 'pads'], output: ['y'] },
    ];
    const initializer = [
      scalar('three', 7, 3),
      scalar('five', 1, 5),
      scalar('none', 1, 0),
      list('zero', 0),
      list('before', 0, 0, 0, 0, 0, 0, 0),
    ];
    const made = canonical(onnxFile({ node, initializer }));
    expect(made.shapes).toEqual([['batch', 3, 4, 5]]);
    expect(made.graph.constants.get('pads')?.data).toEqual(BigInt64Array.of(0n, 0n, 0n, 0n, 0n, 0n, 0n, 1n));
  });

  it('pads that are turned around as a matrix, as PyTorch writes them', () => {
    const matrix = { name: 'matrix', dims: [2n], dataType: 7, int64Data: [-1n, 2n] };
    const given = { name: 'given', dims: [8n], dataType: 7, int64Data: [0n, 0n, 0n, 0n, 1n, 2n, 3n, 1n] };
    const flat = { name: 'flat', dims: [1n], dataType: 7, int64Data: [-1n] };
    const node = [
      { opType: 'Reshape', name: 'm', input: ['given', 'matrix'], output: ['pairs'] },
      { opType: 'Transpose', name: 't', input: ['pairs'], output: ['turned'] },
      { opType: 'Reshape', name: 'f', input: ['turned', 'flat'], output: ['pads'] },
      { opType: 'Pad', name: 'p', input: ['image', 'pads'], output: ['y'] },
    ];
    const made = canonical(onnxFile({ node, initializer: [matrix, given, flat] }));
    expect(made.shapes).toEqual([['batch', 3, 7, 8]]);
    expect(made.graph.nodes.map((n) => n.op)).toEqual(['Pad']);
  });

  it('shape arithmetic becomes constants, identities disappear', () => {
    const node = [
      { opType: 'Identity', name: 'i', input: ['image'], output: ['same'] },
      { opType: 'Shape', name: 's', input: ['same'], output: ['shape'] },
      { opType: 'Gather', name: 'g', input: ['shape', 'zero'], output: ['batch'] },
      {
        opType: 'Concat',
        name: 'c',
        input: ['batch', 'minus'],
        output: ['target'],
        attribute: attributesOf({ axis: 0 }),
      },
      { opType: 'Reshape', name: 'r', input: ['same', 'target'], output: ['y'] },
    ];
    const initializer = [
      { name: 'zero', dims: [1n], dataType: 7, int64Data: [0n] },
      { name: 'minus', dims: [1n], dataType: 7, int64Data: [-1n] },
    ];
    expect(listing(canonical(onnxFile({ node, initializer })).graph)).toMatchInlineSnapshot(`
      "(image: float32 [batch, 3, 4, 4])
      shape = Shape(image)
      batch = Gather(shape, [0])
      target = Concat(batch, [-1], axis=0)
      y = Reshape(image, target)
      return y"
    `);
    expect(listing(canonical(onnxFile({ node, initializer }), 1).graph)).toMatchInlineSnapshot(`
      "(image: float32 [batch, 3, 4, 4])
      y = Reshape(image, [1 -1])
      return y"
    `);
  });
});
