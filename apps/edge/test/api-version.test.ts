import type { Job } from '@whylight/contract';
import { describe, expect, test } from 'vitest';
import {
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  predicted,
  report,
  success,
  unsigned,
  uploaded,
} from './gateway.ts';

const before = { 'X-Api-Version': '2026-11-01' };
const today = { 'X-Api-Version': '2026-12-01' };

/** A finished explanation, with a warning. */
async function finished() {
  const { key } = await newTenant();
  const upload = await uploaded(key);
  const { body } = await explain(key, { input: { upload: upload.id }, target: { class_index: 0 } });
  const [job] = await jobsTaken(cacheKeyOf(body));
  const done = success(job!);
  const warnings = [{ code: 'unsure', message: 'it may show something else' }];
  await report(job!, { ...done, result: { ...done.result, warnings } });
  const see = async (headers: Record<string, string> = {}) => call('GET', body.urls.self, { key, headers });
  return { key, upload, see, self: body.urls.self };
}

describe('J10: an answer has the form of the version that the request names', () => {
  test('today’s, named or not: probability and score, warnings with a code, a task, what is explained', async () => {
    const { see } = await finished();
    const { body, headers } = await see();
    expect(body).toMatchObject({
      task: 'multiclass',
      target: { type: 'class', index: 0, score: 'logit' },
      predictions: [{ class_index: 0, label: 'circle', label_zh: null, probability: 0.75, score: 3.5 }],
      attributions: [{ probability: 0.75, score: 3.5 }],
      warnings: [{ code: 'unsure', message: 'it may show something else' }],
    });
    expect(headers.get('Vary')).toContain('X-Api-Version');
    expect(unsigned((await see(today)).body)).toEqual(unsigned(body));
  });

  test('that of before: score is the probability, warnings are text, a target is short', async () => {
    const { key, see } = await finished();
    const now = unsigned((await see()).body);
    const answer = await see(before);
    const [status, body] = [answer.status, unsigned(answer.body)];
    const { task: _, ...rest } = now;
    const [{ probability, ...attribution }] = now.attributions;
    expect([status, body]).toEqual([
      200,
      {
        ...rest,
        target: { class_index: 0 },
        predictions: [{ class_index: 0, label: 'circle', label_zh: null, score: 0.75 }],
        attributions: [{ ...attribution, score: probability }],
        warnings: ['unsure: it may show something else'],
      },
    ]);
    const list = await call('GET', '/v1/explanations', { key, headers: before });
    expect(unsigned(list.body.data)).toEqual([body]);
  });

  test('of a rendering and of a prediction too', async () => {
    const { key, self, upload } = await finished();
    const drawn = await call('POST', `${self}/render`, { key, body: { language: 'zh' }, headers: before });
    expect(drawn.body.warnings).toEqual(['label_in_english: the class has no Chinese name']);

    const predicting = (headers: Record<string, string>) =>
      call('POST', '/v1/predictions', { key, body: { input: { upload: upload.id } }, headers });
    const first = predicting(before);
    await expect
      .poll(async () => (await jobsAbout(upload.sha256)).map(({ question }) => question.method))
      .toContain('prediction');
    const job = (await jobsAbout(upload.sha256)).find(({ question }) => question.method === 'prediction')!;
    await report(job, predicted(job));
    const { body } = await first;
    expect(body.predictions.map(({ score }: { score: number }) => score)).toEqual([0.75, 0.25]);
    expect([JSON.stringify(body).includes('probability'), 'task' in body]).toEqual([false, false]);
    expect((await predicting(today)).body).toMatchObject({
      task: 'multiclass',
      predictions: [{ probability: 0.75 }, { probability: 0.25 }],
    });
  });

  test('a repeated request gets the form that the repetition names', async () => {
    const { key } = await newTenant();
    const body = { input: { upload: (await uploaded(key)).id } };
    const ask = (version: Record<string, string>) =>
      explain(key, body, { 'Idempotency-Key': 'once', ...version });
    expect((await ask(before)).body.target).toBe('predicted');
    expect((await ask(today)).body.target).toEqual({ type: 'class', index: 'predicted', score: 'logit' });
  });

  test('a refusal is the same in both', async () => {
    const { key } = await newTenant();
    for (const headers of [before, today]) {
      const { status, body } = await call('GET', '/v1/explanations/exp_0', { key, headers });
      expect([status, body.code]).toEqual([404, 'resource_not_found']);
    }
  });
});

const jobsAbout = async (image: string): Promise<Job[]> =>
  (await fetch(`${bindings.WORKER_URL}/taken?image=${image}`)).json() as Promise<Job[]>;
