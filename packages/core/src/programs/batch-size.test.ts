import { describe, expect, it } from 'vitest';
import { readClassifier } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { reachable } from '../onnx/graph.ts';
import { float32 } from '../tensor.ts';
import { explain } from '../testing/explain.ts';
import { type Layer, networkOf, tinyImages, tinyShape } from '../testing/network.ts';

// Exporters read the size of a batch where they like, and most methods that start at a layer give it other rows.

type Learned = (...shape: number[]) => Value;
/** The logits of a map [N, 4, 3, 3], by a batch size [1] that somebody has read. */
type Head = (layer: Layer, map: Value, batch: Value, learned: Learned, g: GraphBuilder) => Value;
/** Where the batch size is read, among the values before the layer. */
type Source = 'image' | 'c1' | 'a number';

/** Two convolutions and a head; the batch size is read from `source`, or a number in a file with a batch of two. */
function network(source: Source, head: Head): Uint8Array {
  let k = 0;
  const fixed = source === 'a number';
  return networkOf(
    tinyShape,
    (layer, image, g) => {
      const learned: Learned = (...shape) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return g.constant(
          float32(
            shape,
            Array.from({ length: size }, () => 0.6 * Math.sin(1.3 * k++ + 0.5)),
          ),
        );
      };
      const c1 = layer('c1', 'Conv', [image, learned(3, 2, 3, 3), learned(3)], { pads: [1, 1, 1, 1] });
      const c2 = layer('c2', 'Conv', [layer('r1', 'Relu', [c1]), learned(4, 3, 3, 3), learned(4)], {
        pads: [1, 1, 1, 1],
        strides: [2, 2],
      });
      const map = layer('map', 'Tanh', [c2]);
      const batch = fixed
        ? g.ints([2])
        : layer('batch', 'Gather', [layer('size', 'Shape', [source === 'image' ? image : c1]), g.ints([0])]);
      return head(layer, map, batch, learned, g);
    },
    fixed ? 2 : -1,
  );
}

const joined = (layer: Layer, name: string, ...parts: Value[]) => layer(name, 'Concat', parts, { axis: 0 });

/** [N, 9, 4] */
function tokensOf(layer: Layer, map: Value, batch: Value, g: GraphBuilder): Value {
  const flat = layer('flat', 'Reshape', [map, joined(layer, 'flat.shape', batch, g.ints([4, -1]))]);
  return layer('tokens', 'Transpose', [flat], { perm: [0, 2, 1] });
}

const heads: [string, Head][] = [
  [
    'view(x.size(0), -1)',
    (layer, map, batch, learned, g) => {
      const flat = layer('flat', 'Reshape', [map, joined(layer, 'flat.shape', batch, g.ints([-1]))]);
      return layer('logits', 'Gemm', [flat, learned(36, 3), learned(3)]);
    },
  ],
  [
    'rows taken together and apart',
    (layer, map, batch, learned, g) => {
      const tokens = tokensOf(layer, map, batch, g);
      const rows = layer('rows', 'Reshape', [tokens, g.ints([-1, 4])]);
      const scored = layer('scored', 'MatMul', [rows, learned(4, 3)]);
      const apart = layer('apart', 'Reshape', [scored, joined(layer, 'apart.shape', batch, g.ints([-1, 3]))]);
      return layer('logits', 'ReduceMean', [layer('bent', 'Tanh', [apart])], { axes: [1], keepdims: 0 });
    },
  ],
  [
    'a latent token that attends, expanded to the batch',
    (layer, map, batch, learned, g) => {
      const tokens = tokensOf(layer, map, batch, g);
      const latent = layer('latent', 'Expand', [
        learned(1, 1, 4),
        joined(layer, 'one', batch, g.ints([1, 4])),
      ]);
      const keys = layer('keys', 'Transpose', [tokens], { perm: [0, 2, 1] });
      const weights = layer('weights', 'Softmax', [layer('products', 'MatMul', [latent, keys])], {
        axis: -1,
      });
      const pooled = layer('pooled', 'Reshape', [
        layer('read', 'MatMul', [weights, tokens]),
        joined(layer, 'pooled.shape', batch, g.ints([4])),
      ]);
      return layer('logits', 'Gemm', [pooled, learned(4, 3), learned(3)]);
    },
  ],
  [
    'a class token joined to the others',
    (layer, map, batch, learned, g) => {
      const token = layer('token', 'Tile', [learned(1, 1, 4), joined(layer, 'times', batch, g.ints([1, 1]))]);
      const all = layer('all', 'Concat', [token, tokensOf(layer, map, batch, g)], { axis: 1 });
      const mixed = layer('mixed', 'MatMul', [learned(10, 10), all]);
      const read = layer('read', 'Slice', [mixed, g.ints([0]), g.ints([1]), g.ints([1])]);
      const flat = layer('flattened', 'Reshape', [read, joined(layer, 'end', batch, g.ints([4]))]);
      return layer('logits', 'Gemm', [flat, learned(4, 3), learned(3)]);
    },
  ],
  [
    'the image met again, beside its size',
    (layer, map, batch, learned, g) => {
      const small = layer('small', 'AveragePool', ['image'], { kernel_shape: [2, 2], strides: [2, 2] });
      const both = layer('both', 'Concat', [map, small], { axis: 1 });
      const flat = layer('flat', 'Reshape', [both, joined(layer, 'flat.shape', batch, g.ints([-1]))]);
      return layer('logits', 'Gemm', [flat, learned(54, 3), learned(3)]);
    },
  ],
];

describe.each(heads)('%s', (_, head) => {
  describe.each(['image', 'c1'] as const)('by a batch size read from %s', (source) => {
    it.each([
      'ablation-cam',
      'layer-feature-ablation',
      'layer-integrated-gradients',
      'random-cam',
      'layer-conductance',
      'score-cam',
    ])('%s gives what a fixed batch gives', async (method) => {
      const run = (from: Source) =>
        explain(network(from, head), { method, layers: ['map'] }, tinyImages(), [0, 2]);
      const [open, fixed] = [await run(source), await run('a number')];
      expect(Math.max(...fixed.attribution.data)).toBeGreaterThan(0);
      for (const [i, v] of fixed.attribution.data.entries())
        expect(Math.abs(v - open.attribution.data[i]!)).toBeLessThan(1e-5);
    });
  });
});

it.each(['image', 'c1'] as const)(
  'nothing before the layer is computed to know how many rows there are, read from %s',
  (source) => {
    const classifier = readClassifier(network(source, heads[0]![1]));
    const { g, logits } = classifier.inline(
      (g) => {
        const image = g.input('one', 'float32', [1, ...tinyShape]);
        const rows = g.emit('Shape', [g.input('rows', 'float32', [-1])]);
        return g.emit('Expand', [image, g.emit('Concat', [rows, g.ints(tinyShape)], { axis: 0 })]);
      },
      new Map([['map', (g) => g.input('start', 'float32', [-1, 4, 3, 3])]]),
    );
    const convolutions = reachable(g.nodes, [logits]).filter(({ op }) => op === 'Conv' || op === 'Expand');
    expect(convolutions).toEqual([]);
  },
);
