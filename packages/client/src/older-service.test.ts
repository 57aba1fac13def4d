import { expect, test } from 'vitest';
import { explanation, json, problem, serviceDouble } from './testing/service-double.ts';

const double = serviceDouble();

/** As a service of the release before says it: no task, scores that are probabilities, warnings as text. */
function olderExplanation() {
  const { task: _, target: _target, ...rest } = explanation('succeeded');
  const scored = { class_index: 3, label: 'star', label_zh: null, score: 0.75 };
  return {
    ...rest,
    target: { class_index: 3 },
    predictions: [scored],
    warnings: ['unsure: it may show something else', 'the model takes batches of 2 only'],
  };
}

test('an answer names the version that this client reads', async () => {
  let named: unknown;
  double.routes['GET /v1/explanations/exp_1'] = (request, response) => {
    named = request.headers['x-api-version'];
    json(response, 200, explanation('succeeded'));
  };
  await double.client().explanation('exp_1');
  expect(named).toBe('2026-12-01');
});

test('J10: a service of an earlier release is asked for its own version, and its answer is read', async () => {
  double.routes['GET /v1/explanations/exp_1'] = (request, response) =>
    'x-api-version' in request.headers
      ? json(response, 400, problem(400, 'invalid_version'))
      : json(response, 200, olderExplanation());
  expect(await double.client().explanation('exp_1')).toMatchObject({
    task: 'multiclass',
    target: { type: 'class', index: 3, score: 'logit' },
    predictions: [{ class_index: 3, probability: 0.75, score: null }],
    warnings: [
      { code: 'unsure', message: 'it may show something else' },
      { code: 'note', message: 'the model takes batches of 2 only' },
    ],
  });
  expect(double.lines()).toHaveLength(2);
});

test('another refusal is not tried in another version', async () => {
  double.routes['GET /v1/explanations/exp_1'] = (_, response) =>
    json(response, 400, problem(400, 'invalid_parameter'));
  await expect(double.client().explanation('exp_1')).rejects.toMatchObject({ code: 'invalid_parameter' });
  expect(double.lines()).toHaveLength(1);
});
