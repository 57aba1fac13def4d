import { describe, expect, it } from 'vitest';
import { readClassifier } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { float } from '../onnx/graph.ts';
import type { Target } from '../targets.ts';
import { float32, row, sizeOf } from '../tensor.ts';
import { expectClose } from '../testing/close.ts';
import { explain } from '../testing/explain.ts';
import { type Layer, networkOf, tinyImages, tinyShape } from '../testing/network.ts';
import { classScore } from './class-score.ts';

let seed = 0;
const learned = (g: GraphBuilder, ...shape: number[]): Value =>
  g.constant(
    float32(
      shape,
      Array.from({ length: sizeOf(shape) }, () => 0.8 * Math.sin(1.7 * seed++ + 0.3)),
    ),
  );

/** A convolution to a map of four channels, and what makes five scores of it. */
const ending = (build: (layer: Layer, map: Value, g: GraphBuilder) => Value, batch?: number): Uint8Array => {
  seed = 0;
  return networkOf(
    tinyShape,
    (layer, image, g) => {
      const c1 = layer('c1', 'Conv', [image, learned(g, 4, 2, 3, 3), learned(g, 4)], { pads: [1, 1, 1, 1] });
      return build(layer, layer('map', 'Tanh', [c1]), g);
    },
    batch,
  );
};
const pooled = (layer: Layer, map: Value, g: GraphBuilder) =>
  layer('flat', 'Flatten', [layer('pool', 'ReduceMean', [map, g.ints([-2, -1])])], { axis: 1 });

const endings: Record<string, Uint8Array> = {
  'a Gemm of turned weights': ending((layer, map, g) =>
    layer('logits', 'Gemm', [pooled(layer, map, g), learned(g, 5, 4), learned(g, 5)], { transB: 1 }),
  ),
  'a Gemm without bias': ending((layer, map, g) =>
    layer('logits', 'Gemm', [pooled(layer, map, g), learned(g, 4, 5)]),
  ),
  'a MatMul and a bias': ending((layer, map, g) => {
    const product = layer('product', 'MatMul', [pooled(layer, map, g), learned(g, 4, 5)]);
    return layer('logits', 'Add', [learned(g, 5), product]);
  }),
  'a rectified convolution, pooled': ending((layer, map, g) => {
    const scores = layer('conv', 'Conv', [map, learned(g, 5, 4, 1, 1), learned(g, 5)]);
    return layer('logits', 'Flatten', [
      layer('pool', 'GlobalAveragePool', [layer('relu', 'Relu', [scores])]),
    ]);
  }),
  'a convolution of one place': ending((layer, map, g) => {
    const pool = layer('pool', 'GlobalAveragePool', [map]);
    const scores = layer('conv', 'Conv', [pool, learned(g, 5, 4, 1, 1)]);
    return layer('logits', 'Squeeze', [scores, g.ints([2, 3])]);
  }),
};
/** Ends that look like a layer of weights per class and are none. */
const others: Record<string, Uint8Array> = {
  'one score with a threshold for each class': ending((layer, map, g) =>
    layer('logits', 'Add', [
      layer('shared', 'MatMul', [pooled(layer, map, g), learned(g, 4, 1)]),
      learned(g, 5),
    ]),
  ),
  'one bias for all classes': ending((layer, map, g) =>
    layer('logits', 'Gemm', [pooled(layer, map, g), learned(g, 4, 5), learned(g, 1)]),
  ),
  'a bias for each row and class': ending((layer, map, g) =>
    layer('logits', 'Gemm', [pooled(layer, map, g), learned(g, 4, 5), learned(g, 1, 5)]),
  ),
  'a convolution that sees more than one place': ending((layer, map, g) => {
    const scores = layer('conv', 'Conv', [map, learned(g, 5, 4, 3, 3), learned(g, 5)]);
    return layer('logits', 'Flatten', [layer('pool', 'GlobalAveragePool', [scores])]);
  }),
  'a convolution in groups': ending((layer, map, g) => {
    const scores = layer('conv', 'Conv', [map, learned(g, 4, 2, 1, 1)], { group: 2 });
    return layer('logits', 'Flatten', [layer('pool', 'GlobalAveragePool', [scores])]);
  }),
  'a bias for each row of a batch that is baked in': ending(
    (layer, map, g) =>
      layer('logits', 'Add', [
        layer('product', 'MatMul', [pooled(layer, map, g), learned(g, 4, 5)]),
        learned(g, 2, 5),
      ]),
    2,
  ),
  'features that are turned': ending((layer, map, g) => {
    const turned = layer('turned', 'Transpose', [pooled(layer, map, g)], { perm: [1, 0] });
    return layer('logits', 'Gemm', [turned, learned(g, 4, 5), learned(g, 5)], { transA: 1 });
  }, 2),
  'a scaled product': ending((layer, map, g) =>
    layer('logits', 'Gemm', [pooled(layer, map, g), learned(g, 4, 5), learned(g, 5)], { alpha: float(0.5) }),
  ),
};

/** As many rows as classes, whose biases are per row. */
const square = ending(
  (layer, map, g) =>
    layer('logits', 'Add', [
      layer('product', 'MatMul', [pooled(layer, map, g), learned(g, 4, 2)]),
      learned(g, 2, 1),
    ]),
  2,
);

/** One class as a sum of classes, which is differentiated through all of them. */
const asSum = (index: number) => [{ class: index, weight: 1 }];

const found = (model: Uint8Array) => {
  const classifier = readClassifier(model);
  const rows = classifier.batch ?? -1;
  const { g, logits } = classifier.inline((g) => g.input('image', 'float32', [rows, ...tinyShape]));
  return classScore(g, logits, g.input('class_index', 'int64', [-1]));
};

describe('the score of one class by its own weights', () => {
  it.each(Object.entries(endings))('%s: has the same gradient', async (_, model) => {
    expect(found(model)).toBeDefined();
    for (const method of ['saliency', 'grad-cam']) {
      const ofClass = await explain(
        model,
        { method, layers: method === 'saliency' ? [] : ['map'] },
        tinyImages(),
        [3, 1],
      );
      const ofSum = await explain(
        model,
        { method, layers: method === 'saliency' ? [] : ['map'] },
        tinyImages(),
        [asSum(3), asSum(1)],
      );
      expectClose(ofClass.attribution, ofSum.attribution);
    }
  });

  it.each(Object.entries(others))('%s: is left alone', async (_, model) => {
    expect(found(model)).toBeUndefined();
    const [ofClass, ofSum] = await Promise.all(
      [
        [3, 1],
        [asSum(3), asSum(1)],
      ].map((targets) => explain(model, { method: 'saliency' }, tinyImages(), targets as Target[])),
    );
    expectClose(ofClass!.attribution, ofSum!.attribution);
  });

  it('is left alone where each of as many rows as classes has a bias', () => {
    expect(found(square)).toBeUndefined();
  });

  it('is left alone where a mean is over everything, the maps of other classes too', async () => {
    const model = networkOf(
      tinyShape,
      (layer, image, g) => {
        seed = 0;
        const conv = layer('conv', 'Conv', [image, learned(g, 5, 2, 1, 1), learned(g, 5)]);
        return layer('logits', 'Flatten', [
          layer('pool', 'ReduceMean', [layer('relu', 'Relu', [conv]), g.ints([])]),
        ]);
      },
      1,
    );
    const ofClass = await explain(model, { method: 'saliency' }, row(tinyImages(), 0), [0]);
    const ofSum = await explain(model, { method: 'saliency' }, row(tinyImages(), 0), [asSum(0)]);
    expectClose(ofClass.attribution, ofSum.attribution);
  });

  it('does not hide a layer behind the last weights', async () => {
    const model = endings['a rectified convolution, pooled']!;
    const spec = { method: 'layer-gradient-x-activation', convention: 'captum', layers: ['conv'] } as const;
    const ofClass = await explain(model, spec, tinyImages(), [2, 0]);
    const ofSum = await explain(model, spec, tinyImages(), [asSum(2), asSum(0)]);
    expectClose(ofClass.attribution, ofSum.attribution);
    expect(Math.max(...ofClass.attribution.data.map(Math.abs))).toBeGreaterThan(0);
  });
});
