import { describe, expect, it } from 'vitest';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { float32, int64 } from '../tensor.ts';
import { declared } from '../testing/image-inputs.ts';
import { type Layer, networkOf } from '../testing/network.ts';
import { readClassifier } from './classifier.ts';

const pixels = { scale: 1, mean: [0], std: [1] };
const unit = { ...pixels, scale: 1 / 255 };

/** What the graph is found to do first, in a network that prepares its image so. */
const firstOf = (prepare: (layer: Layer, image: Value, g: GraphBuilder) => Value, shape = [3, 8, 8]) =>
  readClassifier(
    networkOf(shape, (layer, image, g) => {
      const map = prepare(layer, image, g);
      const weights = g.constant(float32([2, 3, 1, 1], [1, 2, 3, 4, 5, 6]), 'weights');
      const pooled = layer('pooled', 'GlobalAveragePool', [layer('convolved', 'Conv', [map, weights])]);
      return layer('scores', 'Flatten', [pooled], { axis: 1 });
    }),
  ).first;

const three = (g: GraphBuilder, values: readonly number[], name: string) =>
  g.constant(float32([1, 3, 1, 1], values), name);

const batchNorm = (means: number[], variances: number[]) => (layer: Layer, image: Value, g: GraphBuilder) =>
  layer('normalised', 'BatchNormalization', [
    image,
    ...[[1, 1, 1], [0, 0, 0], means, variances].map((values, i) =>
      g.constant(float32([3], values), `bn${i}`),
    ),
  ]);

describe('what a graph does to its image first is not for preprocessing to do', () => {
  it.each<[string, object, (layer: Layer, image: Value, g: GraphBuilder) => Value]>([
    ['nothing', {}, (_, image) => image],
    ['divides by 255', pixels, (layer, image, g) => layer('scaled', 'Div', [image, g.scalar(255)])],
    [
      'to -1..1, as Rescaling of Keras',
      pixels,
      (layer, image, g) =>
        layer('shifted', 'Add', [layer('scaled', 'Mul', [image, g.scalar(1 / 127.5)]), g.scalar(-1)]),
    ],
    [
      'takes ImageNet’s mean from pixels',
      pixels,
      (layer, image, g) => layer('shifted', 'Sub', [image, three(g, [103.9, 116.8, 123.7], 'mean')]),
    ],
    [
      'normalises 0..1',
      unit,
      (layer, image, g) =>
        layer('scaled', 'Div', [
          layer('shifted', 'Sub', [image, three(g, [0.485, 0.456, 0.406], 'mean')]),
          three(g, [0.229, 0.224, 0.225], 'std'),
        ]),
    ],
    [
      'takes a small mean away and divides by nothing',
      unit,
      (layer, image, g) => layer('s', 'Sub', [image, g.scalar(0.5)]),
    ],
    ['normalises by what it saw of pixels', pixels, batchNorm([120, 115, 100], [3400, 3300, 3500])],
    ['normalises by what it saw of 0..1', unit, batchNorm([0.48, 0.45, 0.4], [0.05, 0.05, 0.05])],
    ['normalises what was normalised', {}, batchNorm([0.01, -0.02, 0], [1.1, 0.9, 1])],
  ])('%s', (_, expected, prepare) => {
    expect(firstOf(prepare)).toEqual(expected);
  });

  it('behind a Transpose', () => {
    const first = firstOf(
      (layer, image, g) =>
        layer('scaled', 'Div', [layer('nchw', 'Transpose', [image], { perm: [0, 3, 1, 2] }), g.scalar(255)]),
      [8, 8, 3],
    );
    expect(first).toEqual(pixels);
  });

  it('a Resize takes photos of any size, where the file does', () => {
    const resizing = networkOf(
      [3, 8, 8],
      (layer, image, g) => {
        const sizes = g.constant(int64([4], [1, 3, 4, 4]), 'sizes');
        const resized = layer('resized', 'Resize', [image, '', '', sizes], { mode: 'linear' });
        return layer('scores', 'Flatten', [layer('pooled', 'GlobalAveragePool', [resized])], { axis: 1 });
      },
      1,
    );
    expect(readClassifier(declared(resizing, [1, 3, 'H', 'W'])).first).toEqual({
      size: null,
      resize: 'none',
      crop: 'none',
    });
    expect(readClassifier(resizing).first).toEqual({});
  });
});
