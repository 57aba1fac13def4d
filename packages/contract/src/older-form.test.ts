import { describe, expect, test } from 'vitest';
import { explanationSchema } from './api/explanations.ts';
import { predictionsSchema } from './api/predictions.ts';
import { kserveResponseSchema, vertexResponseSchema } from './compat.ts';
import { currentForm, currentResult, olderForm } from './older-form.ts';
import { type Result, resultSchema } from './result.ts';
import { samplesOf } from './testing/answers.ts';

const warning = { code: 'unsure', message: 'it may show: something else' };

describe('J10: version 2026-11-01', () => {
  test('every kind of answer says nothing of what came later', () => {
    for (const schema of [explanationSchema, predictionsSchema, kserveResponseSchema])
      for (const sample of samplesOf(schema) as object[]) {
        expect(JSON.stringify(sample)).toContain('probability');
        const older = JSON.stringify(olderForm(sample));
        expect(older).not.toContain('probability');
        expect(older).not.toContain('"task"');
      }
  });

  test('a score is the probability', () => {
    const [sample] = samplesOf(predictionsSchema) as { predictions: object[] }[];
    const cat = { class_index: 0, label: 'cat', label_zh: null };
    const today = { ...sample, predictions: [{ ...cat, probability: 0.75, score: 3.5 }] };
    expect(olderForm(today)).toMatchObject({ predictions: [{ ...cat, score: 0.75 }] });
  });

  test('a network that gives no probability keeps its score', () => {
    const [sample] = samplesOf(predictionsSchema) as { predictions: object[] }[];
    const price = { class_index: 0, label: 'price', label_zh: null, score: 36.5 };
    expect(olderForm({ ...sample, predictions: [price] })).toMatchObject({ predictions: [price] });
  });

  test('what a client called its own is left as it is', () => {
    const [sample] = samplesOf(explanationSchema) as object[];
    const own = { metadata: { task: 'mine', score: '1' }, parameters: { probability: 1, warnings: [] } };
    expect(olderForm({ ...sample, ...own })).toMatchObject(own);
  });

  test('a lack of memory is a GPU’s', () => {
    const [sample] = samplesOf(explanationSchema) as object[];
    const error = (code: string) => ({ code, message: 'too little memory', retryable: false });
    for (const [today, older] of [
      ['out_of_memory', 'gpu_out_of_memory'],
      ['gpu_out_of_memory', 'gpu_out_of_memory'],
      ['worker_crashed', 'worker_crashed'],
    ] as const)
      expect(olderForm({ ...sample, error: error(today) })).toMatchObject({ error: error(older) });
  });

  test('Vertex: the value of the instance is the confidence of its likeliest class', () => {
    const [sample] = samplesOf(vertexResponseSchema) as { predictions: object[] }[];
    const answer = { ...sample, predictions: [{ ids: ['3'], displayNames: ['star'], confidences: [0.75] }] };
    expect(olderForm(answer)).toMatchObject({
      explanations: [{ attributions: [{ instanceOutputValue: 0.75 }] }],
    });
  });

  test('an answer that it had too is left as it is', () => {
    const answer = { object: 'upload', warnings: 'mine' };
    expect(olderForm(answer)).toBe(answer);
  });
});

describe('what an earlier release has said or stored', () => {
  const result = samplesOf(resultSchema)[0] as Result;
  const older = {
    ...result,
    task: undefined,
    target: { class_index: 0, label: 'cat', label_zh: null, score: 0.75 },
    predictions: [{ class_index: 0, label: 'cat', label_zh: null, score: 0.75 }],
    warnings: [`${warning.code}: ${warning.message}`, 'the model takes batches of 2 only'],
  };

  test('a result is one of several classes, whose score was a probability and whose logit was not kept', () => {
    const { task: _, ...stored } = older;
    const read = currentResult(stored);
    expect(resultSchema.parse(read)).toEqual(read);
    expect(read).toMatchObject({
      task: 'multiclass',
      target: { probability: 0.75, score: null },
      predictions: [{ probability: 0.75, score: null }],
      warnings: [warning, { code: 'note', message: 'the model takes batches of 2 only' }],
    });
  });

  test('what is of today is left as it is, also a score without a probability', () => {
    const price = { class_index: 0, label: 'price', label_zh: null, score: 36.5 };
    const today = { ...result, task: 'regression', target: price, predictions: [price], warnings: [warning] };
    expect(currentResult(today as Result)).toEqual(today);
    for (const sample of samplesOf(explanationSchema)) expect(currentForm(sample)).toEqual(sample);
  });

  test('an answer of today, made older and read again, loses the logit and no more', () => {
    for (const sample of samplesOf(explanationSchema) as { target: object }[]) {
      const today = explanationSchema.parse({ ...sample, task: 'multiclass', warnings: [warning] });
      const again = explanationSchema.parse(currentForm(olderForm(today)));
      const without = (scored: object) => ({ ...scored, score: null });
      expect(again).toMatchObject({
        ...today,
        target: expect.objectContaining({ type: 'class' }),
        predictions: today.predictions.map(without),
        attributions: today.attributions.map(without),
      });
    }
  });
});
