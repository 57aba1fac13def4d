import { readNpy } from '@whylight/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ColourModels, redSquare } from '../testing/colour-models.ts';

let models: ColourModels;
beforeAll(async () => {
  models = await ColourModels.open();
});
afterAll(() => models.close());

test('a mask of colours gives the features to ablate, one value for each', async () => {
  const featureMask = await redSquare();
  const { artifacts } = await models.explain({
    method: 'feature-ablation',
    featureMask,
    target: { label: 'red' },
  });
  const { data, shape } = readNpy(artifacts.get('attribution.npy')!);
  expect(shape).toEqual([1, 3, 16, 16]);
  expect(new Set(data as Float32Array).size).toBe(2);
});

test('a method that hides nothing takes no mask', async () => {
  const { message } = await models.failure({ method: 'saliency', featureMask: models.photo });
  expect(message).toBe(
    'method saliency takes no feature mask: expected a method that hides features, such as occlusion',
  );
});

test('a mask of another size is refused', async () => {
  const change = { method: 'feature-ablation', featureMask: await redSquare(2) };
  expect(await models.failure(change)).toMatchObject({
    message: "feature mask: expected the photo's size, 16×32, got 32×64",
  });
});
