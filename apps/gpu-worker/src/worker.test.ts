import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { artifactNames, type Job, resultSchema, sign } from '@whylight/contract';
import { OutOfMemoryError, readNpy, type Session } from '@whylight/core';
import { createRuntime, createThreadedRuntime, DeviceError } from '@whylight/host';
import { colourNetwork } from '@whylight/host/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { createWorld, disc, MemoryStorage, secret, sha256, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

/** Where it is, no provider is missing that a test could ask for. */
const cudaIsHere = await createRuntime({ ep: 'cuda' }).then(
  () => true,
  () => false,
);

const now = () => Date.now() / 1000;
/** Small steps from black to the picture: many runs of the graph. */
const long = { method: 'integrated-gradients', parameters: { n_steps: 500 } };

describe('a job', () => {
  test('reads the photo, writes four artifacts and reports, in order', async () => {
    world = await createWorld();
    const job = await world.prepared(await disc());
    expect((await world.post(job)).status).toBe(202);

    const report = await world.ending();
    expect(world.gateway.reports.map(({ status }) => status)).toEqual([
      'processing',
      ...world.gateway.reports.slice(1, -1).map(() => 'progress'),
      'succeeded',
    ]);
    if (report.status !== 'succeeded') return expect.unreachable(JSON.stringify(report));
    expect(report).toMatchObject({ attempt: job.attempt, lease: job.lease });
    expect(report.result).toMatchObject({
      method: 'grad-cam',
      device: 'cpu',
      image: { width: 160, height: 128 },
    });
    expect(report.result.predictions).toHaveLength(5);
    expect(report.artifacts.map(({ name }) => name)).toEqual([...artifactNames]);
    for (const { object, name, bytes, content_type, ...artifact } of report.artifacts) {
      expect(object).toBe(job.output_prefix + name);
      const stored = world.storage.objects.get(object)!;
      expect([stored.bytes.byteLength, sha256(stored.bytes)]).toEqual([bytes, artifact.sha256]);
      expect(stored.about).toEqual({ contentType: content_type, sha256: artifact.sha256 });
    }
    const written = world.storage.objects.get(`${job.output_prefix}result.json`)!.bytes;
    expect(resultSchema.parse(JSON.parse(Buffer.from(written).toString()))).toEqual(report.result);
    expect(world.gateway.requests[0]!.headers['request-id']).toBe(job.request_id);
  });

  test('that was taken before is accepted again and not run again, also from the same call replayed', async () => {
    world = await createWorld();
    const body = JSON.stringify(await world.prepared(await disc()));
    const headers = await sign(
      secret,
      { direction: 'gateway-to-worker', method: 'POST', path: '/v1/jobs', body },
      now(),
    );
    expect((await world.call('POST', '/v1/jobs', body, headers)).status).toBe(202);
    await world.ending();
    const runs = await world.metric('whylight_graph_runs_total');
    expect(runs).toBeGreaterThan(0);

    const again = await world.call('POST', '/v1/jobs', body, headers);
    expect([again.status, await again.json()]).toEqual([202, { status: 'known' }]);
    expect(await world.metric('whylight_graph_runs_total')).toBe(runs);
    expect(await world.metric('whylight_explanations_total')).toBe(1);
    expect(await world.metric('whylight_jobs_accepted_total')).toBe(1);
    expect(await world.metric('whylight_jobs_total', 'status="succeeded"')).toBe(1);
  });

  test('tells its progress, but not more often than twice a second', async () => {
    world = await createWorld();
    const start = performance.now();
    await world.post(await world.prepared(await disc(), { question: long }));
    await world.ending();
    const progress = world.gateway.reports.filter(({ status }) => status === 'progress');
    expect(progress.length).toBeGreaterThan(0);
    expect(progress.length).toBeLessThanOrEqual(1 + (performance.now() - start) / 500);
  });

  test('that the gateway no longer wants is given up without another word', async () => {
    world = await createWorld();
    world.gateway.answer = () => 409;
    await world.post(await world.prepared(await disc(), { question: long }));
    await expect
      .poll(() => world.metric('whylight_jobs_total', 'status="abandoned"'), { timeout: 20_000 })
      .toBe(1);
    expect(world.gateway.reports.map(({ status }) => status)).toEqual(['processing']);
    expect(await world.metric('whylight_explanations_total')).toBe(0);
  });

  test('B12: that the gateway calls back is stopped between two runs, without another word', async () => {
    world = await createWorld();
    const job = await world.prepared(await disc(), { question: long });
    await world.post(job);
    await expect.poll(() => world.gateway.reports.at(-1)?.status, { timeout: 20_000 }).toBe('progress');
    const path = `/v1/jobs/${job.key}?attempt=1`;
    expect((await world.call('DELETE', path, '', {})).status).toBe(401);
    expect((await world.call('DELETE', `/v1/jobs/${job.key}?attempt=0`)).status).toBe(400);
    expect((await world.call('DELETE', path)).status).toBe(204);
    await expect
      .poll(() => world.metric('whylight_jobs_total', 'status="abandoned"'), { timeout: 20_000 })
      .toBe(1);
    expect(world.gateway.reports.map(({ status }) => status)).not.toContain('succeeded');
    expect([...world.storage.objects.keys()].filter((name) => name.startsWith(job.output_prefix))).toEqual(
      [],
    );
  });

  test('is reported until the gateway has heard it', async () => {
    world = await createWorld();
    world.gateway.answer = ({ status }, count) => (status === 'succeeded' && count < 4 ? 503 : 204);
    await world.post(await world.prepared(await disc()));
    await expect
      .poll(() => world.metric('whylight_jobs_total', 'status="succeeded"'), { timeout: 10_000 })
      .toBe(1);
    const final = world.gateway.reports.filter(({ status }) => status === 'succeeded');
    expect(final.length).toBeGreaterThan(1);
    expect(new Set(final.map((report) => JSON.stringify(report))).size).toBe(1);
  });
});

test('a weighted sum of classes is explained as such: input × gradient is linear in it', async () => {
  world = await createWorld();
  const photo = await disc();
  const explained = async (target: object, prefix: string) => {
    world.gateway.reports.length = 0;
    const question = { method: 'input-x-gradient', target } as Partial<Job['question']>;
    const job = await world.prepared(photo, {
      key: prefix.repeat(64),
      question,
      output_prefix: `t/x/${prefix}/`,
    });
    await world.post(job);
    const report = await world.ending();
    if (report.status !== 'succeeded') return expect.unreachable(JSON.stringify(report));
    return readNpy(world.storage.objects.get(`t/x/${prefix}/attribution.npy`)!.bytes).data as Float32Array;
  };
  const [first, second] = [
    await explained({ class_index: 1 }, 'a'),
    await explained({ class_index: 2 }, 'b'),
  ];
  const terms = [
    { class_index: 1, weight: 2 },
    { class_index: 2, weight: -1 },
  ];
  const sum = await explained({ terms }, 'c');
  const scale = Math.max(...sum.map(Math.abs));
  for (const [i, value] of sum.entries())
    expect(Math.abs(value - (2 * first[i]! - second[i]!)) / scale).toBeLessThan(1e-4);
});

describe('a job that fails says why', () => {
  const question = (change: object) => ({ question: change });
  const bomb = async () => (await disc(6000, 4200)).slice();
  const text = (content: string) => async () => Buffer.from(content);
  const cases: [string, { photo?: () => Promise<Uint8Array>; change?: object }, RegExp][] = [
    ['invalid_image', { photo: async () => (await disc()).subarray(0, 300) }, /damaged or cut short/],
    ['unsupported_media_type', { photo: text('<svg xmlns="http://www.w3.org/2000/svg"/>') }, /SVG/],
    ['image_too_large', { photo: bomb }, /6000×4200/],
    [
      'upload_mismatch',
      { change: question({ image: 'f'.repeat(64) }) },
      /expected sha256 f{64}, got [0-9a-f]{64}/,
    ],
    ['model_not_found', { change: question({ model: `sha256:${'9'.repeat(64)}` }) }, /sha256:9{64}/],
    ['model_not_found', { change: question({ preprocessing: `sha256:${'8'.repeat(64)}` }) }, /sha256:8{64}/],
    ['method_not_supported', { change: question({ method: 'grad-scam' }) }, /grad-scam/],
    ['method_not_supported', { change: question({ method_version: '0' }) }, /expected version 0/],
    ['target_out_of_range', { change: question({ target: { class_index: 10 } }) }, /0\.\.9, got 10/],
    ['target_out_of_range', { change: question({ target: { label: 'hexagram' } }) }, /"hexagram"/],
    ['invalid_parameter', { change: question({ parameters: { bogus: 1 } }) }, /bogus/],
    ['invalid_parameter', { change: question({ layers: ['conv9'] }) }, /conv9/],
  ];
  test.each(cases)('%s %#', async (code, { photo = disc, change = {} }, message) => {
    world = await createWorld();
    await world.post(await world.prepared(await photo(), change));
    const report = await world.ending();
    expect(report).toMatchObject({
      status: 'failed',
      error: { code, message: expect.stringMatching(message) },
    });
    expect(await world.metric('whylight_jobs_total', `status="failed",reason="${code}"`)).toBe(1);
    expect([...world.storage.objects.keys()].filter((object) => object.includes('/x/'))).toEqual([]);
  });

  test('upload_mismatch for another size, naming both', async () => {
    world = await createWorld();
    const photo = await disc();
    const job = await world.prepared(photo);
    await world.post({ ...job, input: { ...job.input, bytes: photo.byteLength + 1 } });
    expect(await world.ending()).toMatchObject({
      error: {
        code: 'upload_mismatch',
        message: `the uploaded photo: expected ${photo.byteLength + 1} bytes, got ${photo.byteLength}`,
      },
    });
  });

  test('upload_not_found', async () => {
    world = await createWorld();
    const job = await world.prepared(await disc());
    world.storage.objects.clear();
    await world.post(job);
    expect(await world.ending()).toMatchObject({ error: { code: 'upload_not_found', retryable: false } });
  });

  test('non_finite_output', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'whylight-test-'));
    const path = join(folder, 'nan.onnx');
    await writeFile(path, colourNetwork({ bias: [Number.NaN, 0, 0] }));
    world = await createWorld({ MODELS: [{ name: 'nan', path }] });
    await world.post(await world.prepared(await disc()));
    expect(await world.ending()).toMatchObject({ error: { code: 'non_finite_output' } });
    await rm(folder, { recursive: true });
  });

  test('deadline_exceeded', async () => {
    world = await createWorld({ JOB_SECONDS: 0.2 });
    await world.post(await world.prepared(await disc(), { question: long }));
    expect(await world.ending()).toMatchObject({ error: { code: 'deadline_exceeded', retryable: false } });
  });

  test('storage_unavailable, from an object store that is not there', async () => {
    const { s3Storage } = await import('./s3.ts');
    const s3 = s3Storage({
      endpoint: 'http://127.0.0.1:9',
      region: 'auto',
      bucket: 'b',
      accessKeyId: 'id',
      secretAccessKey: 'key',
      forcePathStyle: true,
    });
    const storage = Object.assign(new MemoryStorage(), { get: s3.get });
    world = await createWorld({}, storage);
    await world.post(await world.prepared(await disc()));
    expect(await world.ending()).toMatchObject({ error: { code: 'storage_unavailable', retryable: true } });
  });

  test('internal, whose cause is for the log only', async () => {
    const storage = Object.assign(new MemoryStorage(), {
      get: () => Promise.reject(new TypeError('secret place /srv/keys')),
    });
    world = await createWorld({}, storage);
    await world.post(await world.prepared(await disc()));
    expect(await world.ending()).toMatchObject({
      error: { code: 'internal', message: 'the worker failed on this job', retryable: true },
    });
    expect(world.lines.join('\n')).toContain('secret place');
  });
});

describe('a call', () => {
  test('without a valid signature is refused', async () => {
    world = await createWorld();
    const body = JSON.stringify(await world.prepared(await disc()));
    const call = { direction: 'gateway-to-worker', method: 'POST', path: '/v1/jobs', body } as const;
    const wrong: [string, Record<string, string>][] = [
      ['none', {}],
      ['another secret', await sign('another secret', call, now())],
      ['the other direction', await sign(secret, { ...call, direction: 'worker-to-gateway' }, now())],
      ['another body', await sign(secret, { ...call, body: `${body} ` }, now())],
      ['another path', await sign(secret, { ...call, path: '/v1/models' }, now())],
      ['a time more than 15 minutes ago', await sign(secret, call, now() - 901)],
    ];
    for (const [, headers] of wrong)
      expect((await world.call('POST', '/v1/jobs', body, headers)).status).toBe(401);
    expect((await world.call('GET', '/v1/models', '', {})).status).toBe(401);
    expect(await world.metric('whylight_jobs_accepted_total')).toBe(0);
  });

  test('with a body that is no job is refused by the member', async () => {
    world = await createWorld();
    const job = await world.prepared(await disc());
    const refused = async (body: string) => {
      const response = await world.call('POST', '/v1/jobs', body);
      return [response.status, ((await response.json()) as { detail: string }).detail];
    };
    expect(await refused('{')).toEqual([400, expect.stringMatching(/^job: /)]);
    expect(await refused(JSON.stringify({ ...job, attempt: 0 }))).toEqual([
      400,
      expect.stringMatching(/^job: attempt: /),
    ]);
    expect(await refused(JSON.stringify({ ...job, tenant: 'x' }))).toEqual([
      400,
      expect.stringContaining('tenant'),
    ]);
    expect((await world.call('POST', '/v1/jobs', ' '.repeat(600_000))).status).toBe(413);
  });
});

describe('the worker', () => {
  test('lists its models as the contract has them', async () => {
    world = await createWorld();
    const { device, models } = await world.catalog();
    expect([device, models.length, models[0]!.default]).toEqual(['cpu', 1, true]);
    expect(models[0]).toMatchObject({ name: 'shapes', classes: 10, input_shape: [3, 128, 128] });
    expect(models[0]!.labels![0]).toEqual({ en: 'circle', zh: '圆形' });
    expect(models[0]!.methods).toMatchObject({ 'grad-cam': null, saliency: null, occlusion: null });
  });

  test('sends jobs away when its queue is full, and says when to come back', async () => {
    world = await createWorld({ CONCURRENCY: 1, QUEUE_LIMIT: 1 });
    const photo = await disc();
    const offer = async (digit: string) =>
      world.post(await world.prepared(photo, { key: digit.repeat(64), question: long }));
    expect([(await offer('1')).status, (await offer('2')).status]).toEqual([202, 202]);
    expect((await world.health()).status).toBe('busy');
    const away = await offer('3');
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await world.metric('whylight_jobs_accepted_total')).toBe(2);
    world.gateway.answer = () => 409;
  });

  test('that is told to stop finishes what it has and takes nothing more', async () => {
    world = await createWorld();
    const job = await world.prepared(await disc(), { question: long });
    await world.post(job);
    const stopping = world.worker.stop();
    await expect.poll(async () => (await world.health()).draining).toBe(true);
    const refused = await world.post({ ...job, key: 'b'.repeat(64) });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await fetch(`${world.worker.url}/readyz`)).status).toBe(503);
    await stopping;
    expect(world.gateway.reports.at(-1)!.status).toBe('succeeded');
    await expect(world.health()).rejects.toThrow();
    world = await createWorld();
  });

  test('that has no time left hands its jobs back', async () => {
    world = await createWorld({ DRAIN_SECONDS: 0 });
    await world.post(await world.prepared(await disc(), { question: long }));
    await world.worker.stop();
    expect(world.gateway.reports.at(-1)).toMatchObject({
      status: 'failed',
      error: { code: 'worker_crashed', retryable: true },
    });
    world = await createWorld();
  });

  test('F11: photos of several tenants in one batch get what each gets alone', async () => {
    world = await createWorld({ BATCH: 8, BATCH_DELAY_MS: 200 });
    const photos = await Promise.all([...Array(6).keys()].map((i) => disc(140 + 8 * i, 120 + 4 * i)));
    const jobs = await Promise.all(
      photos.map((photo, i) =>
        world.prepared(photo, {
          key: String(i).repeat(64),
          output_prefix: `t/tenant${i % 3}/x/${i}/1/`,
          question: { target: { class_index: i } },
        }),
      ),
    );
    await Promise.all(jobs.map((job) => world.post(job)));
    await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(6);
    expect(await world.metric('whylight_batch_size_count')).toBeLessThan(6);
    expect(await world.metric('whylight_batch_size_sum')).toBe(6);

    const together = jobs.map(({ output_prefix }) => world.attribution(output_prefix));
    await world.close();
    world = await createWorld({ BATCH: 1 });
    for (const [i, job] of jobs.entries()) {
      const alone = { ...job, report_url: world.gateway.url, attempt: 2, output_prefix: `t/x/x/${i}/2/` };
      await world.prepared(photos[i]!);
      await world.post(alone);
      await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(i + 1);
      const [expected, got] = [world.attribution(alone.output_prefix), together[i]!];
      expect(got.shape).toEqual(expected.shape);
      const largest = Math.max(...got.data.map((v, k) => Math.abs(v - expected.data[k]!)));
      expect(largest).toBeLessThanOrEqual(1e-5);
      expect(Math.max(...got.data)).toBeGreaterThan(0);
    }
  });

  test('F10: of a batch only the one fails that cannot be computed', async () => {
    world = await createWorld({ BATCH: 4, BATCH_DELAY_MS: 200 });
    const photo = await disc();
    const targets = [{ class_index: 3 }, { class_index: 99 }, { class_index: 5 }];
    for (const [i, target] of targets.entries())
      await world.post(await world.prepared(photo, { key: String(i).repeat(64), question: { target } }));
    await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(3);
    expect(
      world
        .endings()
        .map(({ status }) => status)
        .sort(),
    ).toEqual(['failed', 'succeeded', 'succeeded']);
  });

  test('F13: the same question asked twice gives the same numbers', async () => {
    world = await createWorld();
    const photo = await disc();
    const jobs = await Promise.all(
      [1, 2].map((attempt) =>
        world.prepared(photo, {
          attempt,
          output_prefix: `t/acme/x/key/${attempt}/`,
          question: { method: 'smooth-grad', parameters: { nt_samples: 3 } },
        }),
      ),
    );
    for (const [i, job] of jobs.entries()) {
      await world.post(job);
      await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(i + 1);
    }
    const [once, again] = jobs.map(({ output_prefix }) => world.attribution(output_prefix));
    expect(again!.data).toEqual(once!.data);
  });

  test('F8: a tenant’s many long jobs leave another tenant’s short one its share', async () => {
    world = await createWorld({ DRAIN_SECONDS: 0 });
    const photo = await disc();
    const slow = { method: 'integrated-gradients', parameters: { n_steps: 500 } };
    for (let i = 0; i < 40; i++)
      await world.post(
        await world.prepared(photo, {
          key: i.toString(16).padStart(64, '0'),
          output_prefix: `t/greedy/x/${i}/1/`,
          question: { ...slow, target: { class_index: i % 10 } },
        }),
      );
    const quick = await world.prepared(photo, { key: 'f'.repeat(64), output_prefix: 't/modest/x/q/1/' });
    const done = () => world.endings().filter(({ status }) => status === 'succeeded').length;
    const before = done();
    await world.post(quick);
    await expect
      .poll(() => world.storage.objects.has('t/modest/x/q/1/result.json'), { timeout: 30_000 })
      .toBe(true);
    // Those that ran already may end first; of those that waited only a few.
    expect(done() - before).toBeLessThan(20);
    world.gateway.answer = () => 409;
  });

  /** A device on which every run of a graph is `before`d. */
  const faulty =
    (before: (feeds: Parameters<Session['run']>[0]) => void): typeof createThreadedRuntime =>
    async (options) => {
      const runtime = await createThreadedRuntime(options);
      return {
        device: runtime.device,
        close: () => runtime.close(),
        async load(model) {
          const session = await runtime.load(model);
          return {
            close: () => session.close(),
            async run(feeds) {
              before(feeds);
              return session.run(feeds);
            },
          };
        },
      };
    };

  test('F1: a batch that does not fit is cut until it does; what fits in no way fails by name, and the next job is well', async () => {
    let room = 2;
    const sizes: number[] = [];
    const runtime = faulty(({ image }) => {
      sizes.push(image!.shape[0]!);
      if (image!.shape[0]! > room) throw new OutOfMemoryError('no room');
    });
    world = await createWorld({ BATCH: 8, BATCH_DELAY_MS: 200 }, undefined, runtime);
    const photo = await disc();
    const offer = async (digit: string) => world.post(await world.prepared(photo, { key: digit.repeat(64) }));
    await Promise.all(['1', '2', '3', '4', '5'].map(offer));
    await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(5);
    expect(world.endings().every(({ status }) => status === 'succeeded')).toBe(true);
    expect(Math.max(...sizes)).toBeGreaterThan(2);

    room = 0;
    await offer('6');
    await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(6);
    expect(world.endings().at(-1)).toMatchObject({
      status: 'failed',
      error: { code: 'gpu_out_of_memory', retryable: false },
    });
    room = 8;
    await offer('7');
    await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(7);
    expect(world.endings().at(-1)!.status).toBe('succeeded');
  });

  test('F2: a lost device hands every job back, takes no more, and asks for the process to end', async () => {
    const runtime = faulty(() => {
      throw new DeviceError('CUDA error: an illegal memory access was encountered');
    });
    world = await createWorld({ CONCURRENCY: 1 }, undefined, runtime);
    const photo = await disc();
    const offer = async (digit: string) => world.post(await world.prepared(photo, { key: digit.repeat(64) }));
    await Promise.all(['1', '2', '3'].map(offer));
    await world.worker.deviceLost;
    expect(world.endings()).toHaveLength(3);
    for (const report of world.endings())
      expect(report).toMatchObject({ status: 'failed', error: { code: 'worker_crashed', retryable: true } });
    expect((await fetch(`${world.worker.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${world.worker.url}/livez`)).status).toBe(503);
  });

  test('F12: a device on which nothing runs is not ready', async () => {
    world = await createWorld({}, undefined, () => Promise.reject(new DeviceError('no warm-up')));
    expect(await world.health()).toEqual({ status: 'failed', reason: 'no warm-up' });
    expect((await fetch(`${world.worker.url}/readyz`)).status).toBe(503);
  });

  const failed = async (reason: RegExp) => {
    expect(await world.health()).toEqual({ status: 'failed', reason: expect.stringMatching(reason) });
    expect((await fetch(`${world.worker.url}/livez`)).status).toBe(503);
    expect((await world.call('GET', '/v1/models')).status).toBe(503);
  };

  test('with a model file that is not there has failed, and says why', async () => {
    world = await createWorld({ MODELS: [{ name: 'm', path: '/nowhere/m.onnx' }] });
    await failed(/^there is no model file m\.onnx$/);
  });

  test.skipIf(cudaIsHere)('F3: with a provider that is not here has failed, and says why', async () => {
    world = await createWorld({ EXECUTION_PROVIDER: 'cuda' });
    await failed(/^execution provider cuda is not available: /);
  });

  test.skipIf(cudaIsHere)('falls back to the CPU only when told to, and reports it everywhere', async () => {
    world = await createWorld({ EXECUTION_PROVIDER: 'cuda', PROVIDER_FALLBACK: true });
    const device = expect.stringMatching(/^cpu \(fallback from cuda: /);
    expect((await world.health()).device).toEqual(device);
    expect((await world.catalog()).device).toEqual(device);
    await world.post(await world.prepared(await disc()));
    expect(await world.ending()).toMatchObject({ result: { device } });
  });

  test('follows the trace that a job comes with: each phase is a span of it, and a histogram', async () => {
    world = await createWorld();
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await world.post({ ...(await world.prepared(await disc())), traceparent });
    await world.ending();
    await expect.poll(() => world.lines.filter((line) => line.includes('worker.job'))).toHaveLength(1);
    const spans = world.lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'span');
    const phases = ['queue', 'download', 'decode', 'compute', 'render', 'upload'];
    expect(spans.map(({ name }) => name)).toEqual([...phases, 'job'].map((name) => `worker.${name}`));
    const whole = spans.at(-1)!;
    expect(whole).toMatchObject({ parent_span_id: '00f067aa0ba902b7', status: 'succeeded' });
    for (const span of spans) expect(span.trace_id).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
    for (const span of spans.slice(0, -1)) expect(span.parent_span_id).toBe(whole.span_id);
    for (const phase of phases) expect(await world.metric(`whylight_${phase}_seconds_count`)).toBe(1);
    expect(await world.metric('whylight_jobs_total', 'method="grad-cam",status="succeeded"')).toBe(1);
  });

  test('writes no secret, signature or query to its log', async () => {
    world = await createWorld();
    await world.call('POST', '/v1/jobs', '{}', {
      'Whylight-Signature': 'f'.repeat(64),
      'Whylight-Timestamp': '1',
    });
    await world.post(await world.prepared(await disc()));
    await world.ending();
    const log = world.lines.join('\n');
    expect(log).toContain('req_test');
    expect(log).not.toMatch(new RegExp(`${secret}|f{64}|shard=2`));
  });
});
