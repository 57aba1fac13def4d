import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test';
import type { Explanation, JobError } from '@whylight/contract';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { dispatch, mostRefusals } from '../src/dispatch.ts';
import type { AttemptMessage } from '../src/domain/run.ts';
import { services } from '../src/services.ts';
import { GpuWorker } from '../src/storage/gpu-worker.ts';
import { bindings, cacheKeyOf, call, explain, newTenant, uploaded, workerAnswers } from './gateway.ts';

afterEach(() => {
  vi.restoreAllMocks();
  return workerAnswers(202);
});

/** An explanation whose job no worker has taken. Its own message waits in the queue and is not what the tests deliver. */
async function waiting() {
  const { key } = await newTenant();
  const upload = (await uploaded(key)).id;
  await workerAnswers(503);
  const { body } = await explain(key, { input: { upload } });
  const see = async () => (await call<Explanation>('GET', body.urls.self, { key })).body;
  return { key: cacheKeyOf(body), see };
}

const refusal = (code: string, detail: string) => ({ code, detail, worker: 'w1' });
const answers = (status: number, body: object) =>
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json(body, { status }));

/** Delivers a message, and gives what the consumer sends to the queue instead of it. */
async function deliver(body: AttemptMessage) {
  const sent: [AttemptMessage, unknown][] = [];
  const JOBS = { send: async (...message: [AttemptMessage, unknown]) => void sent.push(message) };
  const batch = createMessageBatch('jobs', [{ id: 'm', timestamp: Date.now(), attempts: 1, body }]);
  await dispatch(batch, { ...bindings, JOBS } as never);
  const { explicitAcks } = await getQueueResult(batch, createExecutionContext());
  expect(explicitAcks).toEqual(['m']);
  return sent;
}

const model = 'this worker has no model sha256:9 with preprocessing sha256:8';

describe('L6: a job that a worker refuses', () => {
  test.each([
    [400, { detail: 'job: of_tomorrow: unknown' }],
    [401, refusal('invalid_signature', 'the signature is missing or wrong')],
    [404, { detail: 'no such path' }],
    [421, refusal('model_not_found', model)],
  ])('by %i goes to the queue again after a short pause, and the run waits', async (status, body) => {
    const { key, see } = await waiting();
    answers(status, body);
    const message = { key, attempt: 1 };
    expect(await deliver(message)).toEqual([[{ ...message, refusals: 1 }, { delaySeconds: 1 }]]);
    expect(await deliver({ ...message, refusals: 2 })).toEqual([
      [{ ...message, refusals: 3 }, { delaySeconds: 4 }],
    ]);
    expect((await see()).status).toBe('queued');
  });

  test.each([
    [400, { detail: 'job: of_tomorrow: unknown' }, 'internal', 'job: of_tomorrow: unknown', false],
    [
      401,
      refusal('invalid_signature', 'the signature is wrong'),
      'worker_unreachable',
      'the signature is wrong',
      true,
    ],
    [404, {}, 'worker_unreachable', 'the worker is of another release', true],
    [421, refusal('model_not_found', model), 'model_not_found', model, true],
    [421, refusal('method_not_supported', 'method x'), 'method_not_supported', 'method x', true],
    [
      421,
      refusal('worker_not_ready', 'the clock is wrong'),
      'worker_unreachable',
      'the clock is wrong',
      true,
    ],
  ])(
    'by %i too often fails, and the error names the reason: %j',
    async (status, body, code, reason, retryable) => {
      const { key, see } = await waiting();
      answers(status, body);
      expect(await deliver({ key, attempt: 1, refusals: mostRefusals - 1 })).toEqual([]);
      const message = `No worker took the job. Workers refused it ${mostRefusals} times, the last time because of this: ${reason}.`;
      const error: JobError = { code: code as JobError['code'], message, retryable };
      expect(await see()).toMatchObject({ status: 'failed', error });
    },
  );
});

describe('L7: with several workers behind one address', () => {
  /** The gateway's side of `count` workers; the balancer gives each call to the next of these. */
  function workersThat(count: number, ...said: [status: number, body?: object][]) {
    const asked = vi.spyOn(globalThis, 'fetch');
    for (const [status, body = {}] of said) asked.mockResolvedValueOnce(Response.json(body, { status }));
    asked.mockRejectedValue(new Error('one call too many'));
    const registry = () => ({ read: async () => ({ count, catalog: null }) });
    return { worker: new GpuWorker(services(bindings).settings, registry), asked };
  }
  const job = {} as never;
  const lacking: [number, object] = [421, refusal('model_not_found', model)];
  const rendered = { artifacts: [], warnings: [] };
  const rejected = { outcome: 'rejected', error: { code: 'invalid_model', message: 'no' } };

  test.each([
    ['a worker that refuses it', 3, [lacking, [202]], { outcome: 'accepted' }],
    ['workers that are full', 3, [[503], [503], [202]], { outcome: 'accepted' }],
    ['no more workers than there are', 2, [lacking, lacking], { outcome: 'refused', detail: model }],
    ['one worker where none reports its presence', 0, [lacking], { outcome: 'refused', detail: model }],
    [
      'workers of which one is full and the others lack the model',
      3,
      [lacking, [503], lacking],
      { outcome: 'busy' },
    ],
    ['a worker that fails, and nobody after it', 3, [lacking, [500]], { outcome: 'unreachable' }],
  ] as [string, number, [number, object?][], object][])(
    'a job is offered to %s',
    async (_, count, said, outcome) => {
      const { worker, asked } = workersThat(count, ...said);
      expect(await worker.take(job)).toMatchObject(outcome);
      expect(asked).toHaveBeenCalledTimes(said.length);
    },
  );

  test('renderings and validations go on to another worker when the first has no room', async () => {
    expect(await workersThat(3, [503], lacking, [200, rendered]).worker.render(job)).toEqual(rendered);
    expect(await workersThat(3, [503], [503], [200, rejected]).worker.validate(job, 'r')).toEqual(rejected);
    expect(await workersThat(3, [503], [202]).worker.warm(job, 'r')).toBe(true);
  });

  test('L6: a rendering that every worker refuses names the reason', async () => {
    expect(await workersThat(2, lacking, lacking).worker.render(job)).toEqual({
      error: {
        code: 'internal',
        message: `The workers refused to render the pictures: ${model}.`,
        retryable: true,
      },
      begun: false,
    });
  });
});
