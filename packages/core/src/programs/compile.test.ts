import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileExplainer, createExplainer, type Explainer, type ExplainerSpec } from '../explainer.ts';
import { methods } from '../methods/index.ts';
import { readClassifier } from '../model/classifier.ts';
import { float32, int64, row, type Tensor } from '../tensor.ts';
import { expectClose } from '../testing/close.ts';
import { tinyImages } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';
import { web } from '../testing/ort-web.ts';
import { everySpec, networkFor, rowsPerSample } from '../testing/specs.ts';

const images = tinyImages();
const three = float32([3, 2, 6, 6], Float32Array.from([...images.data, ...row(images, 0).data]));

async function ran(file: Uint8Array, image: Tensor, targets: readonly number[], runtime = cpu) {
  const session = await runtime.load(file);
  try {
    return await session.run({ image, class_index: int64([targets.length], targets) });
  } finally {
    await session.close();
  }
}

/** What perturbations add up are differences between scores. */
const differencesOf = ({ method }: ExplainerSpec, logits: Tensor): Tensor | undefined =>
  methods.find(({ id }) => id === method)!.needs.length === 0 ? logits : undefined;

const named = everySpec.map(
  (spec) => [`${spec.method} (${spec.convention})`, { ...spec, memory: 2e4 }] as const,
);

describe.each(named)('%s', (_, spec) => {
  const classifier = readClassifier(networkFor(spec)());
  let explainer: Explainer;
  beforeAll(async () => {
    explainer = await createExplainer(classifier, spec, cpu);
  });
  afterAll(() => explainer.close());

  it('as one file gives what `attribute` gives, in onnxruntime for Node and for the browser', async () => {
    const file = compileExplainer(classifier, spec);
    const expected = await explainer.attribute(images, [0, -1]);
    for (const runtime of [cpu, web]) {
      const found = await ran(file, images, [0, -1], runtime);
      expectClose(found.attribution!, expected.attribution);
      expectClose(found.logits!, expected.logits);
      expect(Array.from(found.target!.data as BigInt64Array, Number)).toEqual(expected.targets);
    }
  });

  it.each([1, 2])('takes any number of images where the model takes batches of %i only', async (size) => {
    const fixed = readClassifier(networkFor(spec)(size));
    if (size % rowsPerSample(spec) !== 0) {
      expect(() => compileExplainer(fixed, spec)).toThrow(/rows per sample together/);
      return;
    }
    const expected = await explainer.attribute(three, [0, -1, 2]);
    const found = await ran(compileExplainer(fixed, spec), three, [0, -1, 2]);
    expectClose(found.attribution!, expected.attribution, differencesOf(spec, expected.logits));
    expectClose(found.logits!, expected.logits);
  });
});
