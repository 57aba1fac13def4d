import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PhotoClassifier } from '../classification/photo-classifier.ts';
import { ColourModels, plain } from '../testing/colour-models.ts';
import type { NetworkOptions } from '../testing/network.ts';

// The red square covers 1/16 of the photo: a class with the weight w for red scores w/16, and 0 without.
let models: ColourModels;
beforeAll(async () => {
  models = await ColourModels.open();
});
afterAll(() => models.close());

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const red = Math.exp(0.25) / (Math.exp(0.25) + 2);

/** What is said of the photo by a network of this end, explained and merely asked. */
async function saidBy(name: string, network: NetworkOptions, labels?: object) {
  await models.add(name, network, { preprocessing: plain, ...(labels && { labels }) });
  const { result } = await models.explain({ model: name });
  const classifier = new PhotoClassifier(models.runtime, await models.registry());
  const classified = await classifier.classify(models.photo, name, 5);
  await classifier.close();
  expect(classified.task).toBe(result.task);
  expect(classified.predictions).toEqual(
    result.predictions.map((one) => ({ ...one, ...closely(one.probability, one.score) })),
  );
  return result;
}

const closely = (probability: number | undefined, score: number | null) => ({
  ...(probability !== undefined && { probability: expect.closeTo(probability, 5) }),
  score: score === null ? null : expect.closeTo(score, 5),
});

describe('M5: the number that is shown is the model’s own', () => {
  test.each([
    ['ends in logits', {}],
    ['ends in Softmax', { end: ['Softmax'] }],
    ['clips its softmax', { end: ['Softmax', 'Clip'] }],
  ] as const)('a network that %s shows the softmax, and explains the logits', async (name, network) => {
    const { task, predictions } = await saidBy(name.replaceAll(' ', '-'), network);
    expect(task).toBe('multiclass');
    expect(predictions).toMatchObject([
      { class_index: 0, ...closely(red, 0.25) },
      { class_index: 1, ...closely((1 - red) / 2, 0) },
      { class_index: 2, ...closely((1 - red) / 2, 0) },
    ]);
  });

  test('a network of sigmoids shows each class’s own, and doubts none of them', async () => {
    const { task, predictions, warnings } = await saidBy('any-of-several', {
      end: ['Sigmoid'],
      bias: [-2, -3, -4],
    });
    expect(task).toBe('multilabel');
    expect(predictions).toMatchObject([
      { class_index: 0, ...closely(sigmoid(-1.75), -1.75) },
      { class_index: 1, ...closely(sigmoid(-3), -3) },
      { class_index: 2, ...closely(sigmoid(-4), -4) },
    ]);
    expect(warnings.map(({ code }) => code)).not.toContain('unsure');
  });

  test('a network of one sigmoid shows it, and the complement for its negation', async () => {
    const network = { end: ['Sigmoid'], weights: [[8, 0, 0]], bias: [-2] };
    const { task, target, predictions } = await saidBy('one', network, ['dog', 'cat']);
    expect(task).toBe('binary');
    expect(predictions).toMatchObject([{ class_index: 0, label: 'cat', ...closely(sigmoid(-1.5), -1.5) }]);
    expect(target).toEqual(predictions[0]);
    for (const negation of [{ label: 'dog' }, { terms: [{ class_index: 0, weight: -1 }] }]) {
      const { result } = await models.explain({ model: 'one', target: negation });
      expect(result.target).toMatchObject({ class_index: 0, label: 'dog', ...closely(sigmoid(1.5), 1.5) });
      expect(result.predictions).toMatchObject([{ label: 'cat' }]);
    }
  });

  test('a network that gives a number shows that, and no probability', async () => {
    const network = { output: 'age', weights: [[160, 0, 0]], bias: [20] };
    const { task, predictions, target } = await saidBy('age', network, ['age']);
    expect(task).toBe('regression');
    expect(predictions).toEqual([
      { class_index: 0, label: 'age', label_zh: null, ...closely(undefined, 30) },
    ]);
    expect('probability' in target).toBe(false);
    const { result } = await models.explain({ model: 'age', method: 'rise', parameters: { n_masks: 8 } });
    expect(result.target).toEqual(target);
  });

  test.each([
    ['logit', 0.25],
    ['probability', red],
    ['log-probability', Math.log(red)],
    ['log-odds', 0.25 - Math.log(2)],
    ['rest', 0.25 + Math.log(red)],
  ] as const)('the score beside it is what is explained: %s', async (score, value) => {
    for (const method of ['grad-cam', 'occlusion']) {
      const { result } = await models.explain({ method, score });
      expect(result.target).toMatchObject({ label: 'red', ...closely(red, value) });
    }
  });
});
