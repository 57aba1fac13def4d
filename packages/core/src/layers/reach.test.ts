import { describe, expect, it } from 'vitest';
import { readClassifier } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { float32, int64, sizeOf } from '../tensor.ts';
import { type Layer, networkOf } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';
import { reachedIn } from './reach.ts';
import { indexOf } from './regroup.ts';

// What is said to reach the scores, against the file: an element reaches them whose change changes them.

const shape = [2, 4, 6] as const;
const wave = (n: number, phase = 0.5) =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(1.3 * i + phase));

type Build = (x: Value, layer: Layer, g: GraphBuilder) => Value;
const cut = (
  g: GraphBuilder,
  layer: Layer,
  name: string,
  x: Value,
  axis: number,
  from: number,
  to: number,
  step = 1,
) => layer(name, 'Slice', [x, ...[from, to, axis, step].map((v) => g.ints([v]))]);
const shaped = (g: GraphBuilder, layer: Layer, name: string, x: Value, ...to: number[]) =>
  layer(name, 'Reshape', [x, g.constant(int64([to.length], to))]);

/** Of the image [N, 2, 4, 6]. */
const builds: [string, Build][] = [
  ['a Slice', (x, layer, g) => cut(g, layer, 'cut', x, 3, 1, 5, 2)],
  ['a Slice backwards', (x, layer, g) => cut(g, layer, 'cut', x, 2, -2, -5, -1)],
  [
    'a Gather of an index from the end',
    (x, layer, g) => layer('row', 'Gather', [x, g.constant(int64([], [-1]))], { axis: 2 }),
  ],
  [
    'a Gather of a table of indices',
    (x, layer, g) => layer('rows', 'Gather', [x, g.constant(int64([2, 2], [0, 1, 1, 3]))], { axis: 2 }),
  ],
  [
    'a part of a Split',
    (x, layer, g) => {
      g.add({
        op: 'Split',
        name: 'split',
        inputs: [x, g.ints([1, 2, 3])],
        outputs: ['s0', 's1', 's2'],
        attributes: { axis: 3 },
      });
      return layer('used', 'Relu', ['s1']);
    },
  ],
  [
    'a Transpose',
    (x, layer, g) => cut(g, layer, 'cut', layer('turned', 'Transpose', [x], { perm: [0, 3, 1, 2] }), 1, 2, 4),
  ],
  ['tokens', (x, layer, g) => cut(g, layer, 'cut', shaped(g, layer, 'tokens', x, -1, 2, 24), 2, 6, 12)],
  [
    'windows',
    (x, layer, g) => {
      const windows = shaped(g, layer, 'windows', x, -1, 2, 2, 2, 2, 3);
      const first = cut(g, layer, 'first', windows, 2, 0, 1);
      return cut(g, layer, 'second', first, 4, 1, 2);
    },
  ],
  [
    'axes taken together and apart',
    (x, layer, g) => {
      const merged = shaped(g, layer, 'merged', x, -1, 8, 6);
      return cut(g, layer, 'cut', shaped(g, layer, 'apart', merged, -1, 2, 4, 6), 2, 1, 2);
    },
  ],
  [
    'a Concat of which a part is read',
    (x, layer, g) =>
      cut(
        g,
        layer,
        'cut',
        layer(
          'both',
          'Concat',
          [layer('tanh', 'Tanh', [cut(g, layer, 'a', x, 3, 0, 2)]), cut(g, layer, 'b', x, 3, 3, 6)],
          { axis: 3 },
        ),
        3,
        2,
        4,
      ),
  ],
  [
    'a Tile',
    (x, layer, g) => cut(g, layer, 'cut', layer('tiled', 'Tile', [x, g.ints([1, 1, 1, 2])]), 3, 5, 8),
  ],
  [
    'an Expand',
    (x, layer, g) => {
      const row = cut(g, layer, 'row', x, 2, 1, 2);
      const times = layer('times', 'Expand', [row, g.ints([1, 1, 3, 1])]);
      return cut(g, layer, 'cut', times, 2, 2, 3);
    },
  ],
  [
    'a Pad',
    (x, layer, g) =>
      cut(g, layer, 'cut', layer('padded', 'Pad', [x, g.ints([0, 0, 1, 2, 0, 0, 0, 1])]), 3, 0, 4),
  ],
  [
    'a window with gaps',
    (x, layer, g) =>
      layer('conv', 'Conv', [x, g.constant(float32([1, 2, 1, 1], [1, 2]), 'w')], { strides: [2, 3] }),
  ],
  [
    'a window that leaves the border out',
    (x, layer, g) =>
      layer('conv', 'Conv', [x, g.constant(float32([1, 2, 2, 3], wave(12)), 'w')], { strides: [3, 2] }),
  ],
  [
    'a window of which a position is read',
    (x, layer, g) => {
      const conv = layer('conv', 'Conv', [x, g.constant(float32([1, 2, 3, 3], wave(18)), 'w')], {
        pads: [1, 1, 1, 1],
        dilations: [1, 1],
      });
      return cut(g, layer, 'column', cut(g, layer, 'row', conv, 2, 0, 1), 3, 4, 5);
    },
  ],
  [
    'an average pool',
    (x, layer, g) =>
      cut(
        g,
        layer,
        'cut',
        layer('pool', 'AveragePool', [x], { kernel_shape: [2, 2], strides: [2, 2] }),
        3,
        1,
        2,
      ),
  ],
  [
    'a row of a product',
    (x, layer, g) =>
      cut(
        g,
        layer,
        'cut',
        layer('product', 'MatMul', [x, g.constant(float32([6, 3], wave(18)), 'w')]),
        2,
        1,
        2,
      ),
  ],
  [
    'a column of a product',
    (x, layer, g) =>
      cut(
        g,
        layer,
        'cut',
        layer('product', 'MatMul', [g.constant(float32([3, 4], wave(12)), 'w'), x]),
        3,
        1,
        3,
      ),
  ],
  [
    'a row of an Einsum',
    (x, layer, g) =>
      cut(
        g,
        layer,
        'cut',
        layer('product', 'Einsum', [x, g.constant(float32([6, 3], wave(18)), 'w')], {
          equation: 'nchw,wk->nhck',
        }),
        1,
        1,
        2,
      ),
  ],
  [
    'a row of a Softmax',
    (x, layer, g) => cut(g, layer, 'cut', layer('soft', 'Softmax', [x], { axis: -1 }), 2, 1, 2),
  ],
  [
    'an element of a Softmax, which is made of its row',
    (x, layer, g) => cut(g, layer, 'cut', layer('soft', 'Softmax', [x], { axis: -1 }), 3, 1, 2),
  ],
  [
    'a channel of a normalised place',
    (x, layer, g) =>
      cut(
        g,
        layer,
        'cut',
        layer('norm', 'LayerNormalization', [x, g.constant(float32([6], wave(6)), 'scale')], { axis: -1 }),
        2,
        0,
        2,
      ),
  ],
  [
    'a mean over rows',
    (x, layer, g) =>
      cut(g, layer, 'cut', layer('mean', 'ReduceMean', [x, g.ints([2])], { keepdims: 0 }), 2, 1, 3),
  ],
  [
    'values spread over a map',
    (x, layer, g) =>
      cut(
        g,
        layer,
        'cut',
        layer('sum', 'Add', [
          x,
          layer('row', 'ReduceMax', [cut(g, layer, 'first', x, 2, 0, 1), g.ints([3])]),
        ]),
        2,
        3,
        4,
      ),
  ],
];

const networkOfBuild = (build: Build) =>
  networkOf(shape, (layer, image, g) => {
    const made = build(layer('map', 'Mul', [image, g.scalar(1)]), layer, g);
    const flat = layer('flat', 'Flatten', [made]);
    const width = g.shape(flat)[1]!;
    return layer('logits', 'Gemm', [flat, g.constant(float32([width, 2], wave(width * 2, 0.9)), 'head')]);
  });

/** Of one image: the elements that the scores change with. */
async function moving(bytes: Uint8Array): Promise<boolean[]> {
  const session = await cpu.load(bytes);
  const data = wave(sizeOf(shape), 0.2);
  const scores = async (given: Float32Array) => {
    const { logits } = await session.run({ image: float32([1, ...shape], given) });
    return Array.from(logits!.data as Float32Array);
  };
  const before = await scores(data);
  const found: boolean[] = [];
  for (const i of data.keys()) {
    // Up by so much that it is the largest of any maximum.
    const after = await scores(data.map((v, k) => (k === i ? v + 3 : v)));
    found.push(after.some((v, k) => Math.abs(v - before[k]!) > 1e-6));
  }
  await session.close();
  return found;
}

describe('What reaches the scores', () => {
  it.each(builds)('of %s', async (_, build) => {
    const bytes = networkOfBuild(build);
    const network = readClassifier(bytes).inline((g) => g.input('image', 'float32', [-1, ...shape]));
    const said = reachedIn(network).get(network.image)!;
    const found = await moving(bytes);
    const all = [...found.keys()].map((k) =>
      indexOf(k, shape).every((i, axis) => said[axis + 1]?.[i] ?? true),
    );
    expect(all).toEqual(found);
    expect(found).toContain(true);
  });
});
