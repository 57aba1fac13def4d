import { describe, expect, it } from 'vitest';
import { createExplainer } from '../explainer.ts';
import { inspect } from '../inspect.ts';
import { readClassifier } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { float32, sizeOf } from '../tensor.ts';
import { type Layer, networkOf } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';

// Networks of two branches that see the image otherwise: as it is, mirrored, turned, a part of it. The reference is the
// branch alone, over an image that was mirrored, turned or cut before.

const [channels, classes, size] = [4, 3, 16];
const wave = (n: number, phase = 0.5) =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(1.3 * i + phase));

interface Parts {
  readonly layer: Layer;
  readonly g: GraphBuilder;
  /** Two convolutions, each with ReLU, that halve the image twice; both branches share their weights. */
  map(x: Value, name: string): Value;
  pooled(x: Value, name: string): Value;
  /** Scores of features. */
  linear(x: Value, name: string, width?: number): Value;
}

const network = (build: (image: Value, parts: Parts) => Value, sides = [size, size]) =>
  networkOf([2, ...sides], (layer, image, g) => {
    const weights = new Map<string, Value>();
    const learned = (name: string, ...shape: number[]) => {
      const known = weights.get(name) ?? g.constant(float32(shape, wave(sizeOf(shape), name.length)), name);
      weights.set(name, known);
      return known;
    };
    const attributes = { strides: [2, 2], pads: [1, 1, 1, 1] };
    return build(image, {
      layer,
      g,
      map(x, name) {
        const first = layer(`${name}.c1`, 'Conv', [x, learned('w1', channels, 2, 3, 3)], attributes);
        const second = [layer(`${name}.r1`, 'Relu', [first]), learned('w2x', channels, channels, 3, 3)];
        return layer(`${name}.relu`, 'Relu', [layer(`${name}.c2`, 'Conv', second, attributes)]);
      },
      pooled: (x, name) =>
        layer(`${name}.flat`, 'Flatten', [layer(`${name}.pool`, 'GlobalAveragePool', [x])]),
      linear: (x, name, width = channels) =>
        layer(name, 'Gemm', [x, learned(`head${width}`, width, classes)]),
    });
  });

const sliced = (
  { layer, g }: Parts,
  name: string,
  x: Value,
  axis: number,
  from: number,
  to: number,
  step = 1,
) => layer(name, 'Slice', [x, ...[from, to, axis, step].map((v) => g.ints([v]))]);
const mirrored = (parts: Parts, name: string, x: Value, axis: number) =>
  sliced(parts, name, x, axis, -1, -(2 ** 31), -1);

/** A branch by itself, and what its second self sees instead of the image. */
const plain = network((image, parts) => parts.linear(parts.pooled(parts.map(image, 'a'), 'a'), 'logits'));
const averaged = (second: (image: Value, parts: Parts) => Value, sides?: number[]) =>
  network((image, parts) => {
    const scores = (x: Value, name: string) =>
      parts.linear(parts.pooled(parts.map(x, name), name), `${name}.scores`);
    return parts.layer('logits', 'Mean', [scores(image, 'a'), scores(second(image, parts), 'b')]);
  }, sides);

type Pixels = readonly (readonly number[])[];
const turns: [string, (image: Value, parts: Parts) => Value, (rows: Pixels) => Pixels, RegExp][] = [
  [
    'mirrored left to right',
    (x, parts) => mirrored(parts, 'seen', x, 3),
    (rows) => rows.map((row) => row.toReversed()),
    /mirrored left to right/,
  ],
  [
    'mirrored left to right by a Gather',
    (x, { layer, g }) =>
      layer('seen', 'Gather', [x, g.ints(Array.from({ length: size }, (_, i) => size - 1 - i))], { axis: 3 }),
    (rows) => rows.map((row) => row.toReversed()),
    /mirrored left to right/,
  ],
  ['upside down', (x, parts) => mirrored(parts, 'seen', x, 2), (rows) => rows.toReversed(), /upside down/],
  [
    'with rows and columns exchanged',
    (x, { layer }) => layer('seen', 'Transpose', [x], { perm: [0, 1, 3, 2] }),
    (rows) => rows.map((_, i) => rows.map((row) => row[i]!)),
    /rows and columns exchanged/,
  ],
  [
    'turned by a quarter',
    (x, parts) => mirrored(parts, 'seen', parts.layer('turned', 'Transpose', [x], { perm: [0, 1, 3, 2] }), 3),
    (rows) => rows.map((_, i) => rows.map((row) => row[i]!).toReversed()),
    /exchanged and upside down/,
  ],
];

const picture = wave(2 * size * size, 0.2);
const imageOf = (data: Float32Array, sides = [size, size]) => float32([1, 2, ...sides], data);
const rowsOf = (data: ArrayLike<number>, height: number, width: number): number[][] =>
  Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => data[y * width + x]!));

async function explain(
  bytes: Uint8Array,
  image: ReturnType<typeof float32>,
  spec: { method: string; convention?: 'torchcam' },
  target = 1,
) {
  const explainer = await createExplainer(readClassifier(bytes), spec, cpu);
  try {
    const { attribution, warnings } = await explainer.attribute(image, [target]);
    return { data: [...attribution.data], warnings, layers: explainer.layers };
  } finally {
    await explainer.close();
  }
}

describe.each(turns)('A branch that sees the image %s', (_, seen, turn, said) => {
  const bytes = averaged(seen);
  /** The image as the branch sees it. */
  const turnedImage = imageOf(
    Float32Array.from(
      [0, 1].flatMap((c) => turn(rowsOf(picture.subarray(c * size * size), size, size)).flat()),
    ),
  );
  const same = (rows: Pixels) => [turn, turn, turn].reduce((now, again) => again(now), rows);

  it.each(['grad-cam', 'eigen-cam', 'layer-cam', 'fem'])(
    'has its map by %s turned back to the image',
    async (method) => {
      const { data, warnings, layers } = await explain(bytes, imageOf(picture), { method });
      expect(layers).toEqual(['b.relu']);
      expect(warnings.find(({ code }) => code === 'layer_turned')?.message).toMatch(said);
      const alone = await explain(plain, turnedImage, { method });
      // Three turns more are the way back, of a turn by a quarter as of a mirror.
      const back = same(rowsOf(alone.data, size, size)).flat();
      for (const [i, v] of back.entries()) expect(data[i]).toBeCloseTo(v, 4);
      expect(Math.max(...data) - Math.min(...data)).toBeGreaterThan(0.5);
    },
  );

  it('has a map of its own size turned back too', async () => {
    const { data } = await explain(bytes, imageOf(picture), { method: 'grad-cam', convention: 'torchcam' });
    const alone = await explain(plain, turnedImage, { method: 'grad-cam', convention: 'torchcam' });
    for (const [i, v] of same(rowsOf(alone.data, 4, 4))
      .flat()
      .entries())
      expect(data[i]).toBeCloseTo(v, 4);
  });

  it('is said to be one of two', async () => {
    expect(inspect(bytes).notes.join()).toMatch(/another branch of the network, whose last map is "a\.relu"/);
    expect(inspect(bytes).recommended[0]).toBe('integrated-gradients');
  });
});

describe('A branch that sees a part of the image', () => {
  const wide = [size, 2 * size];
  const halves = network((image, parts) => {
    const half = (name: string, from: number) =>
      parts.pooled(parts.map(sliced(parts, `${name}.half`, image, 3, from, from + size), name), name);
    const both = parts.layer('both', 'Concat', [half('a', 0), half('b', size)], { axis: 1 });
    return parts.linear(both, 'logits', 2 * channels);
  }, wide);
  const photo = imageOf(wave(2 * 2 * size * size, 0.2), wide);

  it.each(['grad-cam', 'score-cam', 'eigen-cam', 'guided-grad-cam'])(
    'has its map by %s in its place',
    async (method) => {
      const { data, warnings } = await explain(halves, photo, { method });
      expect(warnings.find(({ code }) => code === 'layer_region')?.message).toMatch(
        /rows 0 to 16 and columns 16 to 32/,
      );
      const rows = rowsOf(data, size, 2 * size);
      expect(rows.every((row) => row.slice(0, size).every((v) => v === 0))).toBe(true);
      expect(Math.max(...rows.flatMap((row) => row.slice(size)))).toBeGreaterThan(0);
    },
  );

  it('has the map there that it has by itself', async () => {
    const alone = network((image, parts) => {
      const pooled = parts.pooled(parts.map(image, 'a'), 'a');
      const rest = parts.layer('rest', 'Mul', [pooled, parts.g.scalar(0)]);
      return parts.linear(parts.layer('both', 'Concat', [rest, pooled], { axis: 1 }), 'logits', 2 * channels);
    });
    const right = [0, 1].flatMap((c) =>
      rowsOf(photo.data.subarray(c * 2 * size * size), size, 2 * size).flatMap((row) => row.slice(size)),
    );
    const expected = await explain(alone, imageOf(Float32Array.from(right)), { method: 'grad-cam' });
    const { data } = await explain(halves, photo, { method: 'grad-cam' });
    const laid = rowsOf(data, size, 2 * size).flatMap((row) => row.slice(size));
    for (const [i, v] of expected.data.entries()) expect(laid[i]).toBeCloseTo(v, 4);
  });

  it('does not stand for the whole image', () => {
    expect(inspect(halves).recommended).toEqual(['integrated-gradients', 'occlusion', 'rise', 'grad-cam']);
  });
});

describe('What is one map again', () => {
  const layersOf = (bytes: Uint8Array) => {
    const { notes, layers, recommended } = inspect(bytes);
    return { notes, last: layers[0]!.name, first: recommended[0] };
  };
  const ended = (parts: Parts, map: Value) => parts.linear(parts.pooled(map, 'end'), 'logits');
  const gate = (parts: Parts, name: string, x: Value) => parts.layer(name, 'Sigmoid', [x]);

  it.each<[string, string, (image: Value, parts: Parts) => Value]>([
    [
      'a mirrored branch mirrored back',
      'sum',
      (image, parts) =>
        ended(
          parts,
          parts.layer('sum', 'Add', [
            parts.map(image, 'a'),
            mirrored(parts, 'back', parts.map(mirrored(parts, 'seen', image, 3), 'b'), 3),
          ]),
        ),
    ],
    [
      'a product of two halves of the channels',
      'product',
      (image, parts) => {
        parts.g.add({
          op: 'Split',
          name: 'split',
          inputs: [parts.map(image, 'a')],
          outputs: ['left', 'right'],
          attributes: { axis: 1 },
        });
        const product = parts.layer('product', 'Mul', ['left', gate(parts, 'gate', 'right')]);
        return parts.linear(parts.pooled(product, 'end'), 'logits', 2);
      },
    ],
    [
      'squeeze and excitation',
      'scaled',
      (image, parts) => {
        const map = parts.map(image, 'a');
        const context = parts.layer('context', 'GlobalAveragePool', [map]);
        return ended(parts, parts.layer('scaled', 'Mul', [map, gate(parts, 'gate', context)]));
      },
    ],
    [
      'a residual sum',
      'sum',
      (image, parts) => {
        const map = parts.map(image, 'a');
        return ended(parts, parts.layer('sum', 'Add', [map, gate(parts, 'gate', map)]));
      },
    ],
    [
      'quadrants that were cut and joined',
      'joined',
      (image, parts) => {
        const map = parts.map(image, 'a');
        const rows = [0, 2].map((from) => sliced(parts, `rows${from}`, map, 2, from, from + 2));
        return ended(parts, gate(parts, 'joined', parts.layer('stacked', 'Concat', rows, { axis: 2 })));
      },
    ],
  ])('%s', (_, name, build) => {
    expect(layersOf(network(build))).toEqual({ notes: [], last: name, first: 'grad-cam' });
  });
});

describe('What goes past the last map', () => {
  it('is named: features that were pooled earlier', () => {
    const bytes = network((image, parts) => {
      const early = parts.pooled(image, 'image');
      const map = parts.pooled(parts.map(image, 'a'), 'a');
      return parts.linear(parts.layer('both', 'Concat', [early, map], { axis: 1 }), 'logits', channels + 2);
    });
    expect(inspect(bytes).notes).toEqual([
      'the scores also depend on values that the map of layer "a.relu" cannot show: features that the network pooled before this layer (in "image.flat")',
    ]);
  });

  it('a map of which a corner is read is passed over for one that is read to its borders', async () => {
    const cornered = (pads: number) =>
      network((image, parts) => {
        const kernel = parts.g.constant(float32([channels, channels, 7, 7], wave(16 * 49)), 'w7');
        const wide = parts.layer('wide', 'Conv', [parts.map(image, 'a'), kernel], {
          pads: Array(4).fill(pads),
        });
        const column = sliced(parts, 'column', parts.layer('tanh', 'Tanh', [wide]), 3, 0, 1);
        const corner = sliced(parts, 'corner', column, 2, 0, 1);
        return parts.linear(parts.layer('flat', 'Flatten', [corner]), 'logits');
      });
    const { layers, warnings } = await explain(cornered(3), imageOf(picture), { method: 'grad-cam' });
    expect(layers).toEqual(['a.relu']);
    expect(warnings.filter(({ code }) => code.includes('layer'))).toEqual([]);
    // The corner of a window that hangs out further sees no map to its borders.
    const unseen = await explain(cornered(5), imageOf(picture), { method: 'eigen-cam' });
    expect(unseen.warnings.map(({ code }) => code)).toContain('layer_unreached');
  });

  it('several views in one batch are refused by name', async () => {
    const bytes = network((image, parts) => {
      const both = parts.layer('views', 'Concat', [image, mirrored(parts, 'seen', image, 3)], { axis: 0 });
      const scores = parts.linear(parts.pooled(parts.map(both, 'a'), 'a'), 'scores');
      const split = parts.layer('split', 'Reshape', [scores, parts.g.ints([2, -1, classes])]);
      return parts.layer('logits', 'ReduceMean', [split, parts.g.ints([0])], { keepdims: 0 });
    });
    await expect(explain(bytes, imageOf(picture), { method: 'grad-cam' })).rejects.toMatchObject({
      code: 'method_not_supported',
      message: expect.stringMatching(/several views of each image at once: "a\.c1" has 2 maps for each/),
    });
    expect(inspect(bytes).methods.find(({ id }) => id === 'grad-cam')!.works).toBe(false);
  });

  it('a sum of a map and a mirrored one is not shown without a warning', async () => {
    const bytes = network((image, parts) => {
      const sum = parts.layer('sum', 'Add', [
        parts.map(image, 'a'),
        parts.map(mirrored(parts, 'seen', image, 3), 'b'),
      ]);
      return parts.linear(parts.pooled(sum, 'end'), 'logits');
    });
    const explainer = await createExplainer(
      readClassifier(bytes),
      { method: 'grad-cam', layers: ['sum'] },
      cpu,
    );
    expect(explainer.notes.map(({ code }) => code)).toEqual(['layer_scattered']);
    await explainer.close();
    expect((await explain(bytes, imageOf(picture), { method: 'grad-cam' })).layers).toEqual(['b.relu']);
  });
});
