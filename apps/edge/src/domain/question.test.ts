import {
  type CatalogModel,
  cacheKey,
  type ExplanationRequest,
  explanationRequestSchema,
  questionSchema,
} from '@whylight/contract';
import { methods } from '@whylight/core/methods';
import { describe, expect, it } from 'vitest';
import { explanationQuestion, predictionQuestion } from './question.ts';

const model: CatalogModel = {
  name: 'shapes',
  digest: `sha256:${'1'.repeat(64)}`,
  preprocessing: `sha256:${'2'.repeat(64)}`,
  classes: 3,
  input_shape: [3, 64, 64],
  labels: [
    { en: 'circle', zh: '圆' },
    { en: 'square', zh: null },
    { en: 'star', zh: null },
  ],
  methods: Object.fromEntries(methods.map(({ id }) => [id, null])),
  not_run: {},
  layers: [['last', 'last_too'], ['first']],
  default: true,
};
const image = '0'.repeat(64);

/** The key of a question, whatever the numbers of the release: each release has keys of its own (decision 0029). */
async function keyOf(request: Omit<ExplanationRequest, 'input'>): Promise<string> {
  const asked = explanationRequestSchema.parse({ input: { sha256: image }, ...request });
  const question = explanationQuestion(asked, image, model);
  return cacheKey('ten_1', { ...question, numerics_version: '0', method_version: '0' }, 'cpu');
}

// What stored results are found by: a key that differs from the one that an earlier release has made of the same
// question throws away every result of every tenant.
const pinned: [string, Omit<ExplanationRequest, 'input'>, string][] = [
  [
    'a method alone',
    { method: 'grad-cam' },
    'd359037dc6aa603af7bd65e1c2b71a2bb1ecbd2ff8a1bed8e57b33cd900d56d8',
  ],
  [
    'a convention',
    { method: 'grad-cam', convention: 'captum' },
    'acc0c50a209702e245266b345bb4affe8ed14f879f9bfda922100a5549edaf2e',
  ],
  [
    'a parameter',
    { method: 'integrated-gradients', parameters: { n_steps: '20' } },
    '34cda006d4be739cb09207df3f17b60c75997540489ccccd8d6f188867a25b61',
  ],
  [
    'layers',
    { method: 'layer-cam', layers: ['first', '-1'] },
    '6fac8163f5662ad7876268b668bb97a3a8bd354ac449a633ff4e8ccfe8c59ad1',
  ],
  [
    'a class',
    { method: 'saliency', target: { class_index: 2 } },
    '4d8c1c9e2b621f7b50d30edfca1260f3e41a871efd0f6e19c34e54153e899cf2',
  ],
  [
    'a sum of classes',
    {
      method: 'occlusion',
      target: { terms: [{ class_index: 'predicted' }, { class_index: 1, weight: -0.5 }] },
    },
    '973873c3917495388e9fcbd2030baa85d4f368160da594e0b3e6e23a270b0e6f',
  ],
  [
    'a score',
    { method: 'grad-cam', target: { type: 'class', index: 1, score: 'log-odds' } },
    '8e637563b5e8c1933041361b4f1bf0290d018791156b76df0bf944dac13b27e9',
  ],
  [
    'a score of the method',
    { method: 'rise', parameters: { n_masks: 100 } },
    'b7565ee05820e7049660e06cdbde6c6a623a3537a103bffa331c4988f6a94bc9',
  ],
];

/** Other ways to ask for what `pinned` has under that name. */
const same: [string, Omit<ExplanationRequest, 'input'>][] = [
  ['a method alone', { method: 'grad-cam', target: { type: 'class', score: 'logit' } }],
  ['a method alone', { method: 'grad-cam', parameters: { normalized: 'true' }, convention: 'paper' }],
  ['a convention', { method: 'grad-cam', convention: 'captum', target: { type: 'class', score: 'output' } }],
  ['a parameter', { method: 'integrated-gradients', parameters: { n_steps: 20, baseline: 'zero' } }],
  ['a class', { method: 'saliency', target: { label: 'Star' } }],
  ['a class', { method: 'saliency', target: { type: 'class', index: 2 } }],
  ['a score of the method', { method: 'rise', parameters: { n_masks: '100' } }],
  [
    'a score of the method',
    { method: 'rise', parameters: { n_masks: 100 }, target: { type: 'class', score: 'softmax' } },
  ],
];

describe('The key of a question', () => {
  it.each(pinned)('with %s is the one that results are stored under', async (_, request, key) => {
    expect(await keyOf(request)).toBe(key);
  });

  it.each(same)('with %s is the same for %j', async (name, request) => {
    expect(await keyOf(request)).toBe(pinned.find(([known]) => known === name)![2]);
  });

  it.each(pinned)('with %s is of a question that jobs can hold', (_, request) => {
    const asked = explanationRequestSchema.parse({ input: { sha256: image }, ...request });
    const question = explanationQuestion(asked, image, model);
    expect(questionSchema.parse(JSON.parse(JSON.stringify(question)))).toEqual(question);
  });

  it('of a prediction is the one that results are stored under', async () => {
    const question = { ...predictionQuestion(image, model), numerics_version: '0' };
    expect(await cacheKey('ten_1', question, 'cpu')).toBe(
      'b7257af0cc826b3d1f528cb2b337aa38fa8ee57f40f72d698086eae8acbe9ca6',
    );
  });
});
