import { describe, expect, it } from 'vitest';
import { createExplainer } from '../explainer.ts';
import { inspect } from '../inspect.ts';
import { readClassifier } from '../model/classifier.ts';
import type { Value } from '../onnx/builder.ts';
import { float32, int64, sizeOf } from '../tensor.ts';
import { networkOf } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';

// Transformers of two blocks over 3x3 patches as tools write them. The reference is what a hook in Python would see:
// the layer's values as the file computes them, and their gradient by central differences on the file itself.

interface Kind {
  /** Tokens first, as nn.TransformerEncoder and the original CLIP have them. */
  readonly order?: 'NTC' | 'TNC';
  readonly token?: 'first' | 'last' | 'none';
  /** How the class token is read: by a Gather of an index, by a Slice, by a Split. */
  readonly read?: 'Gather' | 'Slice' | 'Split';
  /** What is read besides, as DINOv2 reads the patches' mean. */
  readonly mean?: boolean;
  /** Whether blocks pass through 8 bits, through a Cast. */
  readonly between?: 'QDQ' | 'Cast';
}

const [width, patches, classes] = [4, 9, 3];

/** The network; up to `until` if that is given, or with a second input added to the value `nudged`. */
function transformer(kind: Kind, how: { until?: string; nudged?: string } = {}): Uint8Array {
  const { order = 'NTC', token = 'first', read = 'Gather', mean = token === 'none', between } = kind;
  const tokens = patches + Number(token !== 'none');
  let k = 0;
  return networkOf([2, 6, 6], (layer, image, g) => {
    const learned = (...shape: number[]) =>
      g.constant(
        float32(
          shape,
          Float32Array.from({ length: sizeOf(shape) }, () => 0.8 * Math.sin(1.7 * k++ + 0.3)),
        ),
      );
    const shaped = (name: string, x: Value, ...shape: number[]) =>
      layer(name, 'Reshape', [x, g.constant(int64([shape.length], shape))]);
    const turned = (name: string, x: Value, ...perm: number[]) => layer(name, 'Transpose', [x], { perm });
    const [batchAxis, tokenAxis] = order === 'NTC' ? [0, 1] : [1, 0];
    const hooked = (x: Value) => {
      if (x !== how.nudged) return x;
      const shape = [0, 0, width];
      shape[batchAxis!] = 1;
      shape[tokenAxis!] = tokens;
      return layer(`${x}+`, 'Add', [x, g.input('nudge', 'float32', shape)]);
    };
    const linear = (name: string, x: Value, from: number, to: number) =>
      layer(name, 'Add', [layer(`${name}.product`, 'MatMul', [x, learned(from, to)]), learned(to)]);
    const normalised = (name: string, x: Value) =>
      hooked(layer(name, 'LayerNormalization', [x, learned(width), learned(width)], { axis: -1 }));
    const through = (name: string, x: Value) => {
      if (between === 'Cast')
        return layer(`${name}.f32`, 'Cast', [layer(`${name}.f64`, 'Cast', [x], { to: 11 })], { to: 1 });
      if (between !== 'QDQ') return x;
      const steps = [
        g.scalar(0.05),
        g.constant({ dtype: 'int8', shape: [], data: Int8Array.of(0) }, `${name}.zero`),
      ];
      return layer(`${name}.dq`, 'DequantizeLinear', [
        layer(`${name}.q`, 'QuantizeLinear', [x, ...steps]),
        ...steps,
      ]);
    };

    const conv = layer('patches', 'Conv', [image, learned(width, 2, 2, 2), learned(width)], {
      strides: [2, 2],
    });
    let x = turned('places', shaped('flat', conv, -1, width, patches), 0, 2, 1);
    if (token !== 'none') {
      const first = layer('shape', 'Shape', [image], { start: 0, end: 1 });
      const size = layer('size', 'Concat', [first, g.ints([1, width])], { axis: 0 });
      const own = layer('token', 'Expand', [learned(1, 1, width), size]);
      x = layer('joined', 'Concat', token === 'first' ? [own, x] : [x, own], { axis: 1 });
    }
    // Wherever the class token is, it has the same position of its own: the networks compute the same.
    const positions = Array.from({ length: tokens * width }, () => 0.8 * Math.sin(1.7 * k++ + 0.3));
    const placed = token === 'last' ? [...positions.slice(width), ...positions.slice(0, width)] : positions;
    x = layer('embedded', 'Add', [x, g.constant(float32([1, tokens, width], placed))]);
    if (order === 'TNC') x = turned('tokens-first', x, 1, 0, 2);
    for (const block of ['block0', 'block1']) {
      const norm = through(`${block}.through`, normalised(`${block}.norm`, x));
      const side = (name: string) => {
        const made = linear(`${block}.${name}`, norm, width, width);
        return order === 'TNC' ? turned(`${block}.${name}.rows`, made, 1, 0, 2) : made;
      };
      const keys = turned(`${block}.turned`, side('k'), 0, 2, 1);
      const products = layer(`${block}.products`, 'MatMul', [side('q'), keys]);
      const attention = layer(`${block}.attention`, 'Softmax', [products], { axis: -1 });
      const mixed = layer(`${block}.mixed`, 'MatMul', [attention, side('v')]);
      const back = order === 'TNC' ? turned(`${block}.back`, mixed, 1, 0, 2) : mixed;
      x = layer(`${block}.sum1`, 'Add', [x, linear(`${block}.out`, back, width, width)]);
      const hidden = linear(`${block}.fc1`, normalised(`${block}.norm2`, x), width, 8);
      const activated = layer(`${block}.act`, 'Tanh', [hidden]);
      x = layer(`${block}.sum2`, 'Add', [x, linear(`${block}.fc2`, activated, 8, width)]);
    }
    const last = normalised('norm', x);
    if (how.until !== undefined) return how.until;
    const parts: Value[] = [];
    const at = token === 'first' ? 0 : patches;
    if (token !== 'none') {
      if (read === 'Gather')
        parts.push(
          layer('read', 'Gather', [last, g.constant(int64([], [token === 'first' ? 0 : -1]))], {
            axis: tokenAxis!,
          }),
        );
      else {
        const cut = at === 0 ? 'cut0' : 'cut1';
        if (read === 'Slice')
          layer(cut, 'Slice', [last, g.ints([at]), g.ints([at + 1]), g.ints([tokenAxis!])]);
        else
          g.add({
            op: 'Split',
            name: 'cut',
            inputs: [last, g.ints(at === 0 ? [1, patches] : [patches, 1])],
            outputs: ['cut0', 'cut1'],
            attributes: { axis: tokenAxis! },
          });
        parts.push(layer('read', 'Squeeze', [cut, g.ints([tokenAxis!])]));
      }
    }
    if (mean) {
      const only =
        token === 'none'
          ? last
          : layer('only', 'Slice', [
              last,
              g.ints([at === 0 ? 1 : 0]),
              g.ints([at === 0 ? tokens : patches]),
              g.ints([tokenAxis!]),
            ]);
      parts.push(layer('mean', 'ReduceMean', [only, g.ints([tokenAxis!])], { keepdims: 0 }));
    }
    const features = parts.length === 1 ? parts[0]! : layer('features', 'Concat', parts, { axis: 1 });
    return layer('logits', 'Gemm', [features, learned(width * parts.length, classes)]);
  });
}

const image = float32(
  [1, 2, 6, 6],
  Float32Array.from({ length: 72 }, (_, i) => Math.sin(1.3 * i * i)),
);

/** Grad-CAM at a layer of tokens, before it is min-maxed: [9]. */
async function hookedGradCam(kind: Kind, layer: string, target: number): Promise<number[]> {
  const tokens = patches + Number((kind.token ?? 'first') !== 'none');
  const before = (kind.token ?? 'first') === 'first' ? 1 : 0;
  const upTo = await cpu.load(transformer(kind, { until: layer }));
  const activation = Object.values(await upTo.run({ image }))[0]!;
  await upTo.close();
  const nudged = await cpu.load(transformer(kind, { nudged: layer }));
  const score = async (at: number, by: number) => {
    const nudge = float32(
      kind.order === 'TNC' ? [tokens, 1, width] : [1, tokens, width],
      new Float32Array(tokens * width),
    );
    nudge.data[at] = by;
    return Number((await nudged.run({ image, nudge })).logits!.data[target]);
  };
  const step = 0.02;
  const slope = Array.from({ length: patches * width }, () => 0);
  for (const i of slope.keys()) {
    const at = before * width + i;
    slope[i] = ((await score(at, step)) - (await score(at, -step))) / (2 * step);
  }
  await nudged.close();
  const weights = Array.from(
    { length: width },
    (_, c) =>
      Array.from({ length: patches }, (_, p) => slope[p * width + c]!).reduce((a, b) => a + b) / patches,
  );
  return Array.from({ length: patches }, (_, p) => {
    const terms = weights.map((w, c) => w * Number(activation.data[(before + p) * width + c]));
    return Math.max(
      0,
      terms.reduce((a, b) => a + b),
    );
  });
}

const kinds: [string, Kind, string][] = [
  ['the class token first', {}, 'block1.norm'],
  ['the class token first, read by a Slice', { read: 'Slice' }, 'block1.norm'],
  ['the class token first, read by a Split', { read: 'Split' }, 'block1.norm'],
  ['the class token last, read by index -1', { token: 'last' }, 'block1.norm'],
  ['tokens first', { order: 'TNC' }, 'block1.norm'],
  ['tokens first, the class token last', { order: 'TNC', token: 'last', read: 'Split' }, 'block1.norm'],
  ['no class token', { token: 'none' }, 'norm'],
  ['no class token, tokens first', { token: 'none', order: 'TNC' }, 'norm'],
  ['a Cast between its blocks', { between: 'Cast' }, 'block1.norm'],
  ["the class token and the patches' mean", { mean: true }, 'norm'],
  [
    "the class token and the patches' mean, tokens first",
    { mean: true, order: 'TNC', token: 'last' },
    'norm',
  ],
];

describe.each(kinds)('A transformer with %s', (_, kind, layer) => {
  const bytes = transformer(kind);
  const classifier = readClassifier(bytes);

  it('is explained at the last tokens of which every patch reaches the score, as a hook there has it', async () => {
    const parameters = { normalized: false };
    const explainer = await createExplainer(
      classifier,
      { method: 'grad-cam', convention: 'torchcam', parameters, layers: [layer] },
      cpu,
    );
    for (const target of [0, 1, 2]) {
      const { attribution } = await explainer.attribute(image, [target]);
      const expected = await hookedGradCam(kind, layer, target);
      expect(attribution.shape).toEqual([1, 3, 3]);
      for (const [p, v] of expected.entries()) expect(attribution.data[p]).toBeCloseTo(v, 3);
    }
    await explainer.close();
    const found = await createExplainer(classifier, { method: 'grad-cam' }, cpu);
    expect(found.layers).toEqual([layer]);
    await found.close();
  });

  it('says what the map does not show', () => {
    const own = kind.token !== 'none';
    const notes = inspect(bytes).notes.filter((note) => note.includes('cannot show'));
    expect(notes).toHaveLength(own ? 1 : 0);
    if (own) expect(notes[0]).toContain('such as a class token');
  });

  it('is recommended LeGrad before Grad-CAM', () => {
    expect(inspect(bytes).recommended.slice(0, 2)).toEqual(['le-grad', 'grad-cam']);
  });
});

it('A transformer in 8 bits is explained at the last tokens of which every patch reaches the score', async () => {
  const explainer = await createExplainer(
    readClassifier(transformer({ between: 'QDQ' })),
    { method: 'grad-cam' },
    cpu,
  );
  expect(explainer.layers).toEqual(['block1.norm']);
  await explainer.close();
});

describe.each(['NTC', 'TNC'] as const)('Attention over tokens as %s', (order) => {
  it.each(['le-grad', 'attention-rollout'])(
    'has the same map by %s, wherever its class token is',
    async (method) => {
      const map = async (kind: Kind) => {
        const explainer = await createExplainer(readClassifier(transformer(kind)), { method }, cpu);
        const { attribution } = await explainer.attribute(image, [1]);
        await explainer.close();
        return [...attribution.data];
      };
      const plain = await map({});
      for (const token of ['first', 'last'] as const)
        for (const [i, v] of (await map({ order, token })).entries()) expect(plain[i]).toBeCloseTo(v, 5);
    },
  );
});

describe('A layer that cannot reach the scores', () => {
  const classifier = readClassifier(transformer({}));
  it.each(['grad-cam', 'eigen-cam', 'score-cam', 'fem'])(
    'is not shown by %s without a warning',
    async (method) => {
      const warned = async (layers: string[]) => {
        const explainer = await createExplainer(classifier, { method, layers }, cpu);
        const { warnings } = await explainer.attribute(image, [0]);
        await explainer.close();
        return warnings.filter(({ code }) => code === 'layer_unreached');
      };
      expect(await warned(['norm'])).toMatchObject([
        { message: expect.stringMatching(/^no place of layer "norm" affects the scores.*"block1\.v"/) },
      ]);
      expect(await warned(['block1.norm'])).toEqual([]);
      expect(await warned([])).toEqual([]);
    },
  );
});
