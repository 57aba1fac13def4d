import {
  type Artifact,
  artifactNames,
  explanationSchema,
  ownStyle,
  type Question,
  type Result,
} from '@whylight/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Asked, expiredFor, presentExplanation } from './explanation.ts';
import { jobOf, outputPrefix, type Run, type Submission } from './run.ts';
import { beginRun } from './transitions.ts';

const question: Question = {
  ...{ image: '1'.repeat(64), model: `sha256:${'2'.repeat(64)}`, preprocessing: `sha256:${'3'.repeat(64)}` },
  ...{ method: 'grad-cam', method_version: '1', convention: 'paper', parameters: {}, layers: ['last'] },
  target: { class_index: 1 },
};
const submission: Submission = {
  ...{ key: 'a'.repeat(64), tenant: 'ten_secret', question, style: ownStyle(), units: 1, requestId: 'req_a' },
  input: { object: 't/ten_secret/u/photo', content_type: 'image/png', bytes: 3 },
};
const label = { class_index: 1, label: 'square', label_zh: null, probability: 0.5, score: 1 };
const result: Result = {
  ...{ method: 'grad-cam', convention: 'paper', parameters: {}, layers: ['conv'], task: 'multiclass' },
  ...{ target: label, predictions: [label], device: 'cpu', warnings: [] },
  attribution: { shape: [8, 8], minimum: 0, maximum: 1, sum: 1, convergence_delta: null },
  input_region: { x: 0, y: 0, width: 8, height: 8 },
  image: { width: 8, height: 8 },
  milliseconds: { decode: 1, compute: 2, render: 3 },
};
const artifactsOf = (run: Run): Artifact[] =>
  artifactNames.map((name) => ({
    ...{ name, object: outputPrefix(run) + name, sha256: '0'.repeat(64), bytes: 3 },
    content_type: name.endsWith('png') ? 'image/png' : 'application/octet-stream',
  }));
const created = Date.parse('2026-11-23T12:00:00Z');
const runs: fc.Arbitrary<Run> = fc
  .record({
    status: fc.constantFrom('queued', 'processing', 'succeeded', 'failed', 'canceled', 'aborted'),
    erased: fc.boolean(),
    started: fc.option(fc.nat(1e6)),
  })
  .map(({ status, erased, started }) => {
    const run = {
      ...beginRun(null, submission, created),
      status,
      startedAt: started === null ? null : created + started,
    } as Run;
    const isOver = status !== 'queued' && status !== 'processing';
    const error = { code: 'internal', message: 'It failed.', retryable: true } as const;
    return {
      ...run,
      completedAt: isOver ? created + 2e6 : null,
      error: status === 'failed' ? error : null,
      ...(status === 'succeeded' && (erased ? { erased } : { result, artifacts: artifactsOf(run) })),
    };
  });
const asked: Asked = {
  ...{
    id: 'exp_a',
    cache_status: 'miss',
    model_name: 'shapes',
    model_id: null,
    request_id: 'req_a',
    style: ownStyle(),
  },
  ...{
    created_at: new Date(created).toISOString(),
    expires_at: new Date(created + 1e7).toISOString(),
    metadata: {},
  },
};

describe('an explanation as the API shows it', () => {
  test('is one of the contract, in every state and at any time', () => {
    fc.assert(
      fc.property(runs, fc.nat(2e7), (run, later) => {
        const { error } = explanationSchema.safeParse(presentExplanation(asked, run, created + later));
        expect(error?.issues ?? []).toEqual([]);
      }),
    );
  });

  test('tells neither tenant, lease, nor where in the store anything lies', () => {
    fc.assert(
      fc.property(runs, (run) => {
        const text = JSON.stringify(presentExplanation(asked, run, created));
        expect(text).not.toMatch(new RegExp(`ten_secret|${run.lease}|t/`));
      }),
    );
  });

  test('B22: has a result to the last millisecond of its own time, and none after; everything else stays', () => {
    fc.assert(
      fc.property(runs, fc.integer({ min: -3, max: 3 }), (run, off) => {
        const now = Date.parse(asked.expires_at) + off;
        const [before, then] = [presentExplanation(asked, run, created), presentExplanation(asked, run, now)];
        if (run.status !== 'succeeded' || off < 0) {
          expect(then).toEqual(before);
          return;
        }
        const gone = {
          attributions: [],
          predictions: [],
          metrics: null,
          task: null,
          warnings: [],
          expired: true,
        };
        expect(then).toEqual({ ...before, ...gone, layers: question.layers });
        expect(expiredFor(asked, run, now).artifacts).toEqual([]);
      }),
    );
  });

  test('L16: answers a question of an earlier release, which has no score, with the score of its method', () => {
    const target = (change: Partial<Question>) =>
      presentExplanation(
        asked,
        beginRun(null, { ...submission, question: { ...question, ...change } }, created),
        created,
      ).target;
    expect(target({})).toEqual({ type: 'class', index: 1, score: 'logit' });
    expect(target({ score: 'log-odds', target: 'predicted' })).toEqual({
      type: 'class',
      index: 'predicted',
      score: 'log-odds',
    });
    const terms = [
      { class_index: 1, weight: 1 },
      { class_index: 2, weight: -1 },
    ];
    expect(target({ target: { terms } })).toEqual({ type: 'class', terms, score: 'logit' });
  });
});

test('a job names what to compute and where to report; of other explanations and of earlier attempts it has nothing', () => {
  const urls = { claim_url: 'http://g/claims/a', report_url: 'http://g/reports/a' };
  const run = beginRun(
    { ...beginRun(null, submission, 0), attempt: 4 },
    { ...submission, traceparent: '00-a' },
    created,
  );
  const job = jobOf(run, urls, null);
  expect(job).toEqual({
    ...{
      key: submission.key,
      attempt: 5,
      lease: run.lease,
      question,
      style: submission.style,
      input: submission.input,
    },
    ...{
      output_prefix: `t/ten_secret/x/${submission.key}/5/`,
      request_id: 'req_a',
      traceparent: '00-a',
      ...urls,
    },
  });
});
