import { describe, expect, it } from 'vitest';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { reachable } from '../onnx/graph.ts';
import { float32, int64 } from '../tensor.ts';
import { canonical } from '../testing/canonical.ts';
import { explain } from '../testing/explain.ts';
import { type Layer, networkOf } from '../testing/network.ts';

const end = 2 ** 31 - 1;
type Read = (layer: Layer, tokens: Value, g: GraphBuilder) => Value;

/** Tokens [N, 10, 4] of an image, of which `read` takes some, [N, 4]. */
const network = (read: Read) =>
  networkOf([2, 6, 6], (layer, image, g) => {
    const wave = (...shape: number[]) =>
      g.constant(
        float32(
          shape,
          Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 1.3 + shape.length)),
        ),
      );
    const patches = layer('patches', 'Conv', [image, wave(4, 2, 2, 2)], { strides: [2, 2] });
    const flat = layer('flat', 'Reshape', [patches, g.ints([0, 4, 9])]);
    const tokens = layer('tokens', 'Transpose', [layer('act', 'Tanh', [flat])], { perm: [0, 2, 1] });
    const mixed = layer('mixed', 'MatMul', [wave(1, 9, 9), tokens]);
    return layer('logits', 'Gemm', [read(layer, mixed, g), wave(4, 3)]);
  });

const squeezed = (layer: Layer, x: Value, g: GraphBuilder) => layer('read', 'Squeeze', [x, g.ints([1])]);
const first: Read = (layer, x, g) => layer('read', 'Gather', [x, g.constant(int64([], [0]))], { axis: 1 });
const batchOf = (layer: Layer, x: Value, g: GraphBuilder) =>
  layer('batch', 'Gather', [layer('size', 'Shape', [x]), g.ints([0])]);

const ways: [string, Read][] = [
  [
    'a Slice of all images and one token',
    (layer, x, g) =>
      squeezed(layer, layer('cut', 'Slice', [x, g.ints([0, 0]), g.ints([end, 1]), g.ints([0, 1])]), g),
  ],
  [
    'a Slice of every axis, with steps',
    (layer, x, g) =>
      squeezed(
        layer,
        layer('cut', 'Slice', [
          x,
          g.ints([0, 0, 0]),
          g.ints([end, 1, end]),
          g.ints([0, 1, 2]),
          g.ints([1, 1, 1]),
        ]),
        g,
      ),
  ],
  [
    'a Slice without axes',
    (layer, x, g) => squeezed(layer, layer('cut', 'Slice', [x, g.ints([0, 0]), g.ints([2 ** 63, 1])]), g),
  ],
  [
    'a Slice up to the size of the batch, which is computed',
    (layer, x, g) => {
      const ends = layer('ends', 'Concat', [batchOf(layer, x, g), g.ints([1])], { axis: 0 });
      return squeezed(layer, layer('cut', 'Slice', [x, g.ints([0, 0]), ends]), g);
    },
  ],
  [
    'a Slice of all images, after one of tokens',
    (layer, x, g) => {
      const all = layer('all', 'Slice', [x, g.ints([0]), g.ints([end]), g.ints([0])]);
      return first(layer, all, g);
    },
  ],
  [
    'a Gather of all images in their order',
    (layer, x, g) => {
      const size = layer('count', 'Squeeze', [batchOf(layer, x, g), g.ints([0])]);
      const places = layer('places', 'Range', [g.constant(int64([], [0])), size, g.constant(int64([], [1]))]);
      return first(layer, layer('all', 'Gather', [x, places], { axis: 0 }), g);
    },
  ],
  [
    'a Concat of one, a Split into one',
    (layer, x, g) => {
      const one = layer('one', 'Concat', [x], { axis: 0 });
      return first(layer, layer('whole', 'Split', [one], { axis: 0 }), g);
    },
  ],
];

describe('what takes all images is the images', () => {
  const images = float32(
    [2, 2, 6, 6],
    Array.from({ length: 144 }, (_, i) => Math.cos(i * 0.7)),
  );
  const saliency = (bytes: Uint8Array) =>
    explain(bytes, { method: 'saliency', parameters: { abs: false } }, images, [1, 2]);

  it.each(ways)('%s', async (_, read) => {
    const [own, plain] = [await saliency(network(read)), await saliency(network(first))];
    expect([...own.attribution.data]).toEqual([...plain.attribution.data]);
    expect([...own.logits.data]).toEqual([...plain.logits.data]);
    const { nodes, outputs } = canonical(network(read)).graph;
    const cuts = reachable(nodes, outputs).filter(({ op }) => op === 'Slice' || op === 'Gather');
    expect(cuts).toHaveLength(1);
  });

  it('but not what takes some of them', async () => {
    const bytes = network((layer, x, g) => {
      const some = layer('some', 'Slice', [x, g.ints([0, 0]), g.ints([1, 1]), g.ints([0, 1])]);
      const one = layer('one', 'Squeeze', [some, g.ints([1])]);
      return layer('both', 'Add', [one, first(layer, x, g)]);
    });
    await expect(saliency(bytes)).rejects.toThrow('"some" (Slice) cuts or joins batches');
  });
});
