import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from './errors.ts';
import { createExplainer, type Explainer, type ExplainerSpec } from './explainer.ts';
import { methods, resolveMethod } from './methods/index.ts';
import { type Classifier, readClassifier } from './model/classifier.ts';
import { float32, row, type Tensor } from './tensor.ts';
import { expectClose } from './testing/close.ts';
import { tinyImages, tinyNetwork } from './testing/network.ts';
import { cpu } from './testing/ort.ts';
import { everySpec, networkFor, rowsPerSample } from './testing/specs.ts';

const classifier = readClassifier(tinyNetwork());
const images = tinyImages();

const named = everySpec.map((spec) => [`${spec.method} (${spec.convention})`, spec] as const);
const sampled = named.filter(([, spec]) => methods.find((m) => m.id === spec.method)!.sampled);

/** One explainer of its network for each specification, shared by all tests. */
const shared = new Map<ExplainerSpec, Promise<Explainer>>();
afterAll(async () => {
  for (const explainer of shared.values()) await (await explainer).close();
});

function explainerOf(spec: ExplainerSpec): Promise<Explainer> {
  const known = shared.get(spec) ?? createExplainer(readClassifier(networkFor(spec)()), spec, cpu);
  shared.set(spec, known);
  return known;
}

const attributed = async (spec: ExplainerSpec, batch: Tensor<'float32'>, targets: readonly number[]) =>
  (await explainerOf(spec)).attribute(batch, targets);

/** By an explainer for this call alone. */
async function attributedOnce(
  from: Classifier,
  spec: ExplainerSpec,
  batch: Tensor<'float32'>,
  targets: readonly number[],
) {
  const explainer = await createExplainer(from, spec, cpu);
  try {
    return await explainer.attribute(batch, targets);
  } finally {
    await explainer.close();
  }
}

const picked = (batch: Tensor<'float32'>, n: number) => row(batch, n);

describe.each(named)('%s', (_, spec) => {
  // Deconvolution takes no gate from the image: without a maximum that is pooled it depends on the network alone.
  it.skipIf(spec.method === 'deconvolution')('E7: has another attribution for another image', async () => {
    const { attribution } = await attributed(spec, images, [1, 1]);
    expect(picked(attribution, 0).data).not.toEqual(picked(attribution, 1).data);
  });

  it('K4: explains each row of a batch for its own class, class 0 among them', async () => {
    const both = await attributed(spec, images, [0, 2]);
    expect(both.targets).toEqual([0, 2]);
    expectClose(picked(both.attribution, 0), (await attributed(spec, row(images, 0), [0])).attribution);
    expectClose(picked(both.attribution, 1), (await attributed(spec, row(images, 1), [2])).attribution);
  });

  it('explains the predicted class for -1', async () => {
    const predicted = await attributed(spec, images, [-1, -1]);
    const best = [0, 1].map((n) => {
      const scores = [...row(predicted.logits, n).data];
      return scores.indexOf(Math.max(...scores));
    });
    expect(predicted.targets).toEqual(best);
    expectClose(predicted.attribution, (await attributed(spec, images, best)).attribution);
  });

  it.each([1, 2, 3])('gives the same on a network that takes batches of %i only', async (size) => {
    if (size % rowsPerSample(spec) !== 0) {
      await expect(createExplainer(readClassifier(networkFor(spec)(size)), spec, cpu)).rejects.toThrow(
        /rows per sample together/,
      );
      return;
    }
    const fixed = readClassifier(networkFor(spec)(size));
    const three = float32([3, 2, 6, 6], Float32Array.from([...images.data, ...row(images, 0).data]));
    const found = await attributedOnce(fixed, spec, three, [1, 2, 0]);
    expectClose(found.attribution, (await attributed(spec, three, [1, 2, 0])).attribution);
    expect(found.logits.shape).toEqual([3, 3]);
  });
});

/** [N, C, H, W] as [N, H, W, C]. */
function channelsLast({ shape, data }: Tensor<'float32'>): Tensor<'float32'> {
  const [n, c, h, w] = shape as [number, number, number, number];
  const from = (i: number) => {
    const [image, pixel, channel] = [Math.floor(i / (c * h * w)), Math.floor(i / c) % (h * w), i % c];
    return (image * c + channel) * h * w + pixel;
  };
  return float32(
    [n, h, w, c],
    Float32Array.from(data, (_, i) => data[from(i)]!),
  );
}

const unseeded = named.filter(
  ([, spec]) =>
    networkFor(spec) === tinyNetwork && !('seed' in resolveMethod({ method: spec.method }).parameters),
);

it.each(unseeded)('%s gives the same on a network whose images have their channels last', async (_, spec) => {
  const parameters = { ...spec.parameters };
  for (const name of ['sliding_window_shapes', 'strides'])
    if (parameters[name])
      parameters[name] = [...(parameters[name] as number[]).slice(1), (parameters[name] as number[])[0]];
  const last = readClassifier(tinyNetwork(-1, 'NHWC'));
  const found = await attributedOnce(last, { ...spec, parameters }, channelsLast(images), [0, 2]);
  const { attribution } = await attributed(spec, images, [0, 2]);
  const atInput = attribution.shape.join() === images.shape.join();
  expectClose(found.attribution, atInput ? channelsLast(attribution) : attribution);
});

describe.each(sampled)('%s', (_, spec) => {
  it('gives the same in chunks of any size', async () => {
    const whole = await attributed(spec, images, [0, 1]);
    for (const memory of [1, 2e4, 5e4]) {
      const cut = await attributedOnce(
        readClassifier(networkFor(spec)()),
        { ...spec, memory },
        images,
        [0, 1],
      );
      expectClose(cut.attribution, whole.attribution);
    }
  });

  it('stops between chunks when it is told to, and says how far it is', async () => {
    const explainer = await createExplainer(classifier, { ...spec, memory: 1 }, cpu);
    const stop = new AbortController();
    const seen: [number, number][] = [];
    const running = explainer.attribute(images, [0, 1], {
      signal: stop.signal,
      onProgress: (completed, total) => {
        seen.push([completed, total]);
        stop.abort(new Error('enough'));
      },
    });
    await expect(running).rejects.toThrow('enough');
    expect(seen).toHaveLength(1);
    expect(seen[0]![0]).toBeLessThan(seen[0]![1]);
    const finished: number[] = [];
    await explainer.attribute(images, [0, 1], { onProgress: (completed) => finished.push(completed) });
    expect(finished.at(-1)).toBe(seen[0]![1]);
    await explainer.close();
  });
});

describe('An explainer', () => {
  const refused = async (spec: ExplainerSpec, batch: Tensor, targets: readonly number[], options = {}) => {
    const explainer = await createExplainer(classifier, spec, cpu);
    const error = await explainer.attribute(batch, targets, options).catch((e) => e as InputError);
    await explainer.close();
    expect(error).toBeInstanceOf(InputError);
    return error as InputError;
  };

  it('refuses images of another shape, telling both', async () => {
    const error = await refused({ method: 'saliency' }, float32([1, 2, 6, 5], Array(60).fill(0)), [0]);
    expect(error.code).toBe('invalid_tensor');
    expect(error.message).toContain('[N, 2, 6, 6]');
    expect(error.message).toContain('[1, 2, 6, 5]');
  });

  it.each([3, -2, 0.5, Number.NaN])('K4: refuses class %d of three', async (target) => {
    expect((await refused({ method: 'saliency' }, row(images, 0), [target])).code).toBe(
      'target_out_of_range',
    );
  });

  it('refuses fewer targets than images', async () => {
    expect((await refused({ method: 'saliency' }, images, [0])).message).toMatch(
      /2 images need 2 targets, got 1/,
    );
  });

  it.each(['saliency', 'grad-cam', 'integrated-gradients'])(
    'says so when %s comes out as NaN',
    async (method) => {
      const broken = float32([1, 2, 6, 6], Array(72).fill(Number.NaN));
      expect((await refused({ method }, broken, [0])).code).toBe('non_finite_output');
    },
  );

  it('replays recorded samples instead of its own', async () => {
    const spec = { method: 'integrated-gradients', parameters: { n_steps: 2, quadrature: 'riemann_left' } };
    const explainer = await createExplainer(classifier, spec, cpu);
    const aux = { alphas: float32([3], [0.25, 0.5, 0.75]), weights: float32([3], [0.2, 0.3, 0.5]) };
    const replayed = await explainer.attribute(row(images, 0), [1], { aux });
    const own = await explainer.attribute(row(images, 0), [1]);
    await explainer.close();
    expect([...replayed.attribution.data]).not.toEqual([...own.attribution.data]);
  });

  it('refuses recorded samples of another name or shape', async () => {
    const spec = { method: 'integrated-gradients' };
    expect((await refused(spec, images, [0, 1], { aux: { noise: float32([1], [0]) } })).message).toMatch(
      /"noise".*alphas/,
    );
    expect(
      (await refused(spec, images, [0, 1], { aux: { alphas: float32([1, 2], [0, 0]) } })).message,
    ).toMatch(/"alphas".*expected float32 \[samples/);
    const uneven = { alphas: float32([2], [0, 1]) };
    expect((await refused(spec, images, [0, 1], { aux: uneven })).message).toMatch(
      /"alphas" 2.*"weights" 50/,
    );
    const direct = await refused({ method: 'saliency' }, images, [0, 1], { aux: uneven });
    expect([direct.code, direct.message]).toEqual(['invalid_parameter', 'aux "alphas": saliency has none']);
  });

  it('refuses layers for a method that looks at none, and several under a convention that takes one', async () => {
    await expect(createExplainer(classifier, { method: 'saliency', layers: ['r1'] }, cpu)).rejects.toThrow(
      /looks at no layer/,
    );
    const two = { method: 'grad-cam', convention: 'captum', layers: ['r1', 'r2'] } as const;
    await expect(createExplainer(classifier, two, cpu)).rejects.toThrow(/takes one layer, got 2/);
  });
});
