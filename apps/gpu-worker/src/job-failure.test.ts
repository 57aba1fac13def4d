import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { colourNetwork } from '@whylight/host/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { createWorld, disc, long, MemoryStorage, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

describe('a job that fails says why', () => {
  const question = (change: object) => ({ question: change });
  const bomb = async () => (await disc(6000, 4200)).slice();
  const text = (content: string) => async () => Buffer.from(content);
  const cases: [string, { photo?: () => Promise<Uint8Array>; change?: object }, RegExp][] = [
    ['invalid_image', { photo: async () => (await disc()).subarray(0, 300) }, /damaged or incomplete/],
    ['unsupported_media_type', { photo: text('<svg xmlns="http://www.w3.org/2000/svg"/>') }, /SVG/],
    ['image_too_large', { photo: bomb }, /6000×4200/],
    [
      'upload_mismatch',
      { change: question({ image: 'f'.repeat(64) }) },
      /expected sha256 f{64}, got [0-9a-f]{64}/,
    ],
    ['target_out_of_range', { change: question({ target: { class_index: 10 } }) }, /from 0 to 9, got 10/],
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

  const elsewhere: [string, object, RegExp][] = [
    ['model_not_found', { model: `sha256:${'9'.repeat(64)}` }, /sha256:9{64}/],
    ['model_not_found', { preprocessing: `sha256:${'8'.repeat(64)}` }, /sha256:8{64}/],
    ['method_not_supported', { method: 'grad-scam' }, /grad-scam/],
    ['method_not_supported', { method_version: '0' }, /expected version 0/],
    ['method_not_supported', { score: 'loudness' }, /score "loudness"/],
    ['method_not_supported', { numerics_version: '0' }, /numerics version: expected 0/],
  ];
  test.each(elsewhere)(
    'L6: %s %#: the worker refuses it by 421 before it claims it, so that another worker gets it',
    async (code, change, message) => {
      world = await createWorld({ WORKER_ID: 'w7' });
      const answer = await world.post(await world.prepared(await disc(), question(change)));
      expect([answer.status, await answer.json()]).toEqual([
        421,
        { code, detail: expect.stringMatching(message), worker: 'w7' },
      ]);
      expect([world.gateway.claims, await world.metric('whylight_jobs_accepted_total')]).toEqual([[], 0]);
    },
  );

  test('but not where its question is of a release that knew no numerics versions', async () => {
    world = await createWorld();
    const job = await world.prepared(await disc());
    const { numerics_version: _, ...older } = job.question;
    expect((await world.post({ ...job, question: older })).status).toBe(202);
    expect(await world.ending()).toMatchObject({ status: 'succeeded' });
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
    const { s3Storage } = await import('./storage/s3.ts');
    const s3 = s3Storage({
      endpoint: 'http://127.0.0.1:9',
      region: 'auto',
      bucket: 'b',
      accessKeyId: 'id',
      secretAccessKey: 'key',
      style: 'path',
    });
    const storage = Object.assign(new MemoryStorage(), { get: s3.get });
    world = await createWorld({}, storage);
    await world.post(await world.prepared(await disc()));
    expect(await world.ending()).toMatchObject({ error: { code: 'storage_unavailable', retryable: true } });
    const [failed] = world.lines
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'job_failed');
    expect(failed.store).toEqual({ verb: 'GET', host: '127.0.0.1:9', status: null, code: 'ECONNREFUSED' });
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
