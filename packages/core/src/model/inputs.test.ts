import { describe, expect, it } from 'vitest';
import { createExplainer } from '../explainer.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { forwardModel } from '../programs/forward.ts';
import { type DType, float32, int64, sizeOf, type Tensor } from '../tensor.ts';
import { declared } from '../testing/image-inputs.ts';
import { type Layer, networkOf } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';
import { type ClassifierOptions, readClassifier } from './classifier.ts';

const wave = (shape: readonly number[], scale = 0.5): Tensor<'float32'> =>
  float32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(1.3 * i + 0.5)),
  );

/** Convolution, mean over the map, and a linear layer, over a map [N, channels, H, W]. */
function head(layer: Layer, g: GraphBuilder, map: Value, channels: number, kernel = 3): Value {
  const weights = g.constant(wave([4, channels, kernel, kernel]), 'weights');
  const convolved = layer('convolved', 'Conv', [map, weights]);
  const pooled = layer('pooled', 'GlobalAveragePool', [layer('rectified', 'Relu', [convolved])]);
  const flat = layer('flat', 'Flatten', [pooled], { axis: 1 });
  return layer('scores', 'Gemm', [flat, g.constant(wave([4, 3]), 'last')]);
}

const toMaps = (layer: Layer, image: Value) => layer('nchw', 'Transpose', [image], { perm: [0, 3, 1, 2] });

/** A network whose input has channels last and is declared as `shape`. */
const lastNetwork = (
  sides: readonly [number, number],
  channels: number,
  shape: readonly (number | string)[],
) =>
  declared(
    networkOf([...sides, channels], (layer, image, g) => head(layer, g, toMaps(layer, image), channels)),
    shape,
  );
const firstNetwork = (
  sides: readonly [number, number],
  channels: number,
  shape: readonly (number | string)[],
) =>
  declared(
    networkOf([channels, ...sides], (layer, image, g) => head(layer, g, image, channels)),
    shape,
  );

const maxDifference = (a: Float32Array, b: Float32Array): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

/** The scores by our graph, and by the file itself. */
async function bothScores(bytes: Uint8Array, image: Tensor<'float32'>, given: Tensor) {
  const run = async (model: Uint8Array, feeds: Record<string, Tensor>, output: string) => {
    const session = await cpu.load(model);
    const results = await session.run(feeds);
    await session.close();
    return results[output]!.data as Float32Array;
  };
  const classifier = readClassifier(bytes);
  const name = classifier.file.graph.outputs[0]!;
  return [
    await run(forwardModel(classifier), { image }, 'logits'),
    await run(bytes, { image: given }, name),
  ] as const;
}

describe('the layout is the axis that the network convolves over', () => {
  it.each<[string, Uint8Array, object, ClassifierOptions?]>([
    [
      '12 bands last',
      lastNetwork([64, 64], 12, ['N', 64, 64, 12]),
      { layout: 'NHWC', inputShape: [64, 64, 12] },
    ],
    [
      'one channel last, the size open',
      lastNetwork([28, 28], 1, ['N', 'H', 'W', 1]),
      { layout: 'NHWC', inputShape: [96, 96, 1] },
      { size: [96, 96] },
    ],
    [
      '13 bands first',
      firstNetwork([64, 64], 13, ['N', 13, 64, 64]),
      { layout: 'NCHW', inputShape: [13, 64, 64] },
    ],
    [
      'an oblong picture',
      firstNetwork([48, 192], 3, [1, 3, 48, 192]),
      { layout: 'NCHW', inputShape: [3, 48, 192] },
    ],
    [
      'everything open: the weights tell the channels',
      firstNetwork([32, 32], 5, ['N', 'C', 'H', 'W']),
      { layout: 'NCHW', inputShape: [5, 224, 224], sizeSource: 'assumed' },
    ],
    [
      'three rows and columns, which look like channels',
      lastNetwork([3, 3], 8, ['N', 3, 3, 8]),
      { layout: 'NHWC', inputShape: [3, 3, 8] },
    ],
    [
      'a Reshape in place of the Transpose, as tf2onnx writes it of one channel',
      declared(
        networkOf([9, 7, 1], (layer, image, g) =>
          head(layer, g, layer('nchw', 'Reshape', [image, g.constant(int64([4], [-1, 1, 9, 7]), 'to')]), 1),
        ),
        ['N', 9, 7, 1],
      ),
      { layout: 'NHWC', inputShape: [9, 7, 1] },
    ],
  ])('%s', (_, bytes, expected, options) => {
    expect(readClassifier(bytes, options)).toMatchObject(expected);
  });

  it('without a convolution by the few channels that the file states', () => {
    const dense = (shape: readonly number[]) =>
      networkOf(shape, (layer, image, g) =>
        layer('scores', 'Gemm', [
          layer('flat', 'Flatten', [image], { axis: 1 }),
          g.constant(wave([sizeOf(shape), 3]), 'weights'),
        ]),
      );
    expect(readClassifier(dense([8, 6, 3])).layout).toBe('NHWC');
    expect(readClassifier(dense([3, 8, 6])).layout).toBe('NCHW');
  });
});

describe('an input of another type is explained in float32, to the numbers that the file gives', () => {
  const levels = (shape: readonly number[]) =>
    Uint8Array.from({ length: sizeOf(shape) }, (_, i) => (i * 37) % 256);
  const types: [DType, (data: Uint8Array<ArrayBuffer>) => Tensor['data']][] = [
    ['uint8', (data) => data],
    ['int32', (data) => Int32Array.from(data)],
    ['float64', (data) => Float64Array.from(data)],
  ];

  it.each(types)('%s, which the network casts itself', async (dtype, dataOf) => {
    const shape = [9, 7, 3];
    const bytes = declared(
      networkOf(shape, (layer, image, g) => {
        const cast = layer('cast', 'Cast', [image], { to: 1 });
        const scaled = layer('scaled', 'Div', [cast, g.scalar(255)]);
        return head(layer, g, toMaps(layer, scaled), 3);
      }),
      ['N', ...shape],
      dtype,
    );
    const data = levels(shape);
    const image = float32([1, ...shape], Float32Array.from(data));
    const [ours, theirs] = await bothScores(bytes, image, {
      dtype,
      shape: [1, ...shape],
      data: dataOf(data),
    } as Tensor);
    expect(maxDifference(ours, theirs)).toBeLessThan(1e-5);
    expect(readClassifier(bytes)).toMatchObject({ layout: 'NHWC', first: { scale: 1, mean: [0], std: [1] } });
  });

  it('uint8, which the network computes with: the gradient passes through the rounding', async () => {
    const shape = [3, 6, 5];
    const bytes = declared(
      networkOf(shape, (layer, image, g) => {
        const whole = g.constant({ dtype: 'uint8', shape: [1], data: Uint8Array.of(0) }, 'zero');
        return head(layer, g, layer('real', 'DequantizeLinear', [image, g.scalar(0.02), whole]), 3);
      }),
      ['N', ...shape],
      'uint8',
    );
    const data = levels(shape);
    const image = float32([1, ...shape], Float32Array.from(data));
    const [ours, theirs] = await bothScores(bytes, image, { dtype: 'uint8', shape: [1, ...shape], data });
    expect(maxDifference(ours, theirs)).toBeLessThan(1e-5);
    const explainer = await createExplainer(readClassifier(bytes), { method: 'saliency' }, cpu);
    const { attribution } = await explainer.attribute(image, [1]);
    await explainer.close();
    expect(Math.max(...attribution.data)).toBeGreaterThan(1e-4);
  });

  it('float64 weights', async () => {
    const shape = [2, 5, 4];
    const weights = Float64Array.from({ length: 40 * 3 }, (_, i) => Math.sin(i));
    const bytes = declared(
      networkOf(shape, (layer, image, g) => {
        const double = layer('double', 'Cast', [layer('flat', 'Flatten', [image], { axis: 1 })], { to: 11 });
        const matrix = g.constant({ dtype: 'float64', shape: [40, 3], data: weights }, 'weights');
        return layer('single', 'Cast', [layer('scores', 'MatMul', [double, matrix])], { to: 1 });
      }),
      ['N', ...shape],
      'float64',
    );
    const image = wave([1, ...shape]);
    const given = { dtype: 'float64', shape: image.shape, data: Float64Array.from(image.data) } as Tensor;
    const [ours, theirs] = await bothScores(bytes, image, given);
    expect(maxDifference(ours, theirs)).toBeLessThan(1e-5);
  });
});

describe('an input without channels or without a batch is understood where there is one way to', () => {
  const unsqueezed = (axis: number, shape: readonly number[], channels: number) =>
    networkOf(
      shape.slice(1),
      (layer, image, g) =>
        head(layer, g, layer('map', 'Unsqueeze', [image, g.constant(int64([1], [axis]), 'axis')]), channels),
      shape[0],
    );

  it('[N, H, W] is grey', async () => {
    const bytes = declared(unsqueezed(1, [2, 9, 7], 1), ['N', 9, 7]);
    expect(readClassifier(bytes)).toMatchObject({ layout: 'NCHW', inputShape: [1, 9, 7], batch: undefined });
    const image = wave([2, 1, 9, 7]);
    const [ours, theirs] = await bothScores(bytes, image, float32([2, 9, 7], image.data));
    expect(maxDifference(ours, theirs)).toBeLessThan(1e-5);
  });

  it('[C, H, W] is one image', async () => {
    const bytes = unsqueezed(0, [3, 9, 7], 3);
    expect(readClassifier(bytes)).toMatchObject({
      layout: 'NCHW',
      inputShape: [3, 9, 7],
      batch: 1,
      classes: 3,
    });
    const image = wave([1, 3, 9, 7]);
    const [ours, theirs] = await bothScores(bytes, image, float32([3, 9, 7], image.data));
    expect(maxDifference(ours, theirs)).toBeLessThan(1e-5);
  });
});

describe('a size that the file leaves open', () => {
  const patch = 4;
  /** Patches of 4 pixels, a class token or none, and a table of positions. */
  const transformer = (grid: number, shape: readonly (number | string)[], token = 0) =>
    declared(
      networkOf([3, grid * patch, grid * patch], (layer, image, g) => {
        const weights = g.constant(wave([8, 3, patch, patch]), 'patches');
        const map = layer('map', 'Conv', [image, weights], { strides: [patch, patch] });
        const rows = layer('rows', 'Reshape', [map, g.constant(int64([3], [0, 8, -1]), 'shape')]);
        const patches = layer('tokens', 'Transpose', [rows], { perm: [0, 2, 1] });
        const all = token
          ? layer('all', 'Pad', [patches, g.constant(int64([6], [0, token, 0, 0, 0, 0]), 'pads')])
          : patches;
        const placed = layer('placed', 'Add', [
          all,
          g.constant(wave([1, grid * grid + token, 8]), 'positions'),
        ]);
        const mean = layer('mean', 'ReduceMean', [placed, g.ints([1])], { keepdims: 0 });
        return layer('scores', 'MatMul', [mean, g.constant(wave([8, 3]), 'last')]);
      }),
      shape,
    );

  it.each([
    [96, 24, 1],
    [56, 14, 0],
    [20, 5, 2],
  ])('is %i by a transformer’s positions', (side, grid, token) => {
    expect(readClassifier(transformer(grid, ['N', 3, 'H', 'W'], token))).toMatchObject({
      inputShape: [3, side, side],
      sizeSource: 'graph',
    });
  });

  it.each([384, 256, 299])('is %i where only that fits the layer behind a flattened map', (side) => {
    const bytes = declared(
      networkOf([1, side, side], (layer, image, g) =>
        layer('scores', 'MatMul', [
          layer('flat', 'Flatten', [
            layer('few', 'MaxPool', [image], { kernel_shape: [32, 32], strides: [32, 32] }),
          ]),
          g.constant(wave([Math.trunc(side / 32) ** 2, 3]), 'weights'),
        ]),
      ),
      ['N', 1, 'H', 'W'],
    );
    // 299 and 288 give as many places; the first that fits counts.
    const { inputShape, sizeSource } = readClassifier(bytes);
    expect([Math.trunc(inputShape[1]! / 32), sizeSource]).toEqual([Math.trunc(side / 32), 'graph']);
  });

  it('is the one that is stated where only the other is open', () => {
    expect(readClassifier(firstNetwork([48, 48], 3, ['N', 3, 48, 'W'])).inputShape).toEqual([3, 48, 48]);
  });

  it('is the one that is asked for; the file’s own stays', () => {
    const open = firstNetwork([32, 32], 3, ['N', 3, 'H', 'W']);
    expect(readClassifier(open, { size: [40, 24] })).toMatchObject({
      inputShape: [3, 40, 24],
      sizeSource: 'asked',
    });
    const stated = firstNetwork([32, 32], 3, ['N', 3, 32, 32]);
    expect(readClassifier(stated).sizeSource).toBe('file');
    expect(() => readClassifier(stated, { size: [40, 24] })).toThrow(
      'the model takes inputs [N, 3, 32, 32], but [N, 3, 40, 24] was requested',
    );
  });

  it('a wish or a guess that does not fit is not called a contradiction of the model’s', () => {
    const message = (options: ClassifierOptions, grid = 24) => {
      try {
        readClassifier(transformer(grid, ['N', 3, 'H', 'W']), options);
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    const asked = message({ size: [224, 224] });
    expect(asked).toContain('the model cannot run on the requested input [N, 3, 224, 224]: ');
    expect(asked).not.toContain('contradict');
    const odd = networkOf([1, 11, 13], (layer, image, g) =>
      layer('scores', 'MatMul', [layer('flat', 'Flatten', [image]), g.constant(wave([143, 3]), 'weights')]),
    );
    const guessed = () => readClassifier(declared(odd, ['N', 1, 'H', 'W']));
    expect(guessed).toThrow(
      /does not state the input size, and the model cannot run on any of the \d+ sizes .* give the size with --size/,
    );
    expect(guessed).not.toThrow(/contradict/);
  });
});
