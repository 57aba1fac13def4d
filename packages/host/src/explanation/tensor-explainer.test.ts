import { readNpy, row, stacked, type Tensor } from '@whylight/core';
import { preprocess } from '@whylight/core/image';
import { resolveQuestion } from '@whylight/core/methods';
import { preparedFor } from '@whylight/core/preparation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PhotoClassifier } from '../classification/photo-classifier.ts';
import { decodeImage } from '../codec/decode.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { ColourModels } from '../testing/colour-models.ts';
import { ExplainerCache } from './explainer-cache.ts';
import { TensorExplainer } from './tensor-explainer.ts';

let models: ColourModels;
let registry: ModelRegistry;
let tensor: Tensor<'float32'>;
let explainers: ExplainerCache;
const sizes: number[] = [];
beforeAll(async () => {
  models = await ColourModels.open();
  registry = await models.registry();
  const { preprocessing } = await preparedFor(await registry.get('colours'));
  tensor = preprocess(await decodeImage(models.photo), preprocessing).input;
  const batch = { most: 8, delay: 200, onBatch: (size: number) => sizes.push(size) };
  explainers = new ExplainerCache(models.runtime, { batch });
});
afterAll(async () => {
  await explainers.close();
  await models.close();
});

const ask = (method: string, image = tensor) =>
  new TensorExplainer(registry, explainers).explain({
    tensor: image,
    model: 'colours',
    question: resolveQuestion({ method }),
  });
const blue = (): Tensor<'float32'> => ({ ...tensor, data: new Float32Array(768).fill(1, 512) });

describe('a tensor', () => {
  test.each(['grad-cam', 'integrated-gradients'])(
    'is explained as the photo that it was made of, by %s',
    async (method) => {
      const { result, artifacts } = await models.explain({ method });
      const explained = await ask(method);
      expect(explained.attribution).toEqual(readNpy(artifacts.get('attribution.npy')!));
      const { method: id, layers, task, target, predictions, warnings } = result;
      const { convergence_delta } = result.attribution;
      expect(explained.result).toEqual({
        ...{ method: id, layers, task, target, predictions, warnings, convergence_delta },
      });
    },
  );

  test('shares a run of the graph with others, and gets its own row', async () => {
    const alone = [await ask('grad-cam'), await ask('grad-cam', blue())];
    sizes.length = 0;
    const together = await Promise.all([ask('grad-cam'), ask('grad-cam', blue())]);
    expect(sizes).toEqual([2]);
    expect(together.map(({ result }) => result.target.label)).toEqual(['red', 'blue, azure']);
    for (const [n, { attribution }] of together.entries())
      expect(attribution.data).toEqual(alone[n]!.attribution.data);
  });

  test('of another shape is refused before it can stand in a batch with others', async () => {
    const other = { ...tensor, shape: [1, 3, 8, 32] };
    await expect(ask('grad-cam', other)).rejects.toThrow(
      'the model takes float32 [N, 3, 16, 16], got [1, 3, 8, 32]',
    );
  });
});

test('tensors are classified in one run, each as the photo that it was made of', async () => {
  let runs = 0;
  const counted = {
    ...models.runtime,
    async load(graph: Parameters<typeof models.runtime.load>[0]) {
      const session = await models.runtime.load(graph);
      return {
        ...session,
        run(feeds: Parameters<typeof session.run>[0]) {
          runs++;
          return session.run(feeds);
        },
      };
    },
  };
  const classifier = new PhotoClassifier(counted, registry);
  const photo = await classifier.classify(models.photo, 'colours', 3);
  const answers = await classifier.classifyTensor(stacked([tensor, blue()]), 'colours', 3);
  expect(runs).toBe(2);
  expect(answers[0]!.predictions).toEqual(photo.predictions);
  expect(answers[1]!.predictions[0]!.label).toBe('blue, azure');
  expect(await classifier.classifyTensor(row(stacked([tensor, blue()]), 1), 'colours', 3)).toEqual([
    answers[1],
  ]);
  await classifier.close();
});
