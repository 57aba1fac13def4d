import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { parseLoneEnv } from '../env.ts';
import { base64, createLoneWorld, type LoneWorld, spot } from '../testing/lone-worker.ts';
import { largestBody } from './limits.ts';
import { OpenRequests } from './open-requests.ts';
import { refusalOf } from './refusal.ts';
import { startLoneWorker } from './worker.ts';

let world: LoneWorld;
afterEach(() => world?.close());

const predict = async (key?: string) =>
  world.post(
    '/v1/models/colours:predict',
    { instances: [{ b64: base64(await spot([250, 60, 60])) }] },
    key === undefined ? {} : { Authorization: `Bearer ${key}` },
  );
/** Of several runs of the graph, between which it can be given up. */
const explanation = async () =>
  world.post('/v1/models/colours:explain', {
    instances: [{ b64: base64(await spot([250, 60, 60])) }],
    parameters: { method: 'occlusion', parameters: { sliding_window_shapes: [3, 4, 4], strides: [3, 4, 4] } },
  });

describe('a lone worker', () => {
  test('listens on the loopback interface unless it is told otherwise', () => {
    expect(parseLoneEnv({})).toMatchObject({ HOST: '127.0.0.1', PORT: 8080 });
    expect(parseLoneEnv({}).WORKER_API_KEY).toBeUndefined();
    expect(() => parseLoneEnv({ WORKER_API_KEY: 'short' })).toThrow(
      'environment: WORKER_API_KEY: expected at least 16 characters, without spaces',
    );
  });

  test('has run the model once before it is ready, and counts what it answers', async () => {
    world = await createLoneWorld();
    expect(await world.metric('whylight_graph_runs_total')).toBe(1);
    expect(world.log.map(({ event }) => event)).toEqual(['worker_listening', 'worker_ready']);
    await predict();
    expect(await world.metric('whylight_predictions_total')).toBe(1);
    expect((await world.get('/readyz')).status).toBe(200);
    expect(await (await world.get('/nowhere')).json()).toEqual({
      error: expect.stringMatching(/^no such path: expected /),
    });
  });

  test('with a key answers nobody who has another one, but for probes', async () => {
    const key = 'a-key-of-this-worker';
    world = await createLoneWorld({ WORKER_API_KEY: key });
    for (const wrong of [undefined, `${key}x`, key.slice(1), 'constructor']) {
      const response = await predict(wrong);
      expect([response.status, response.headers.get('WWW-Authenticate')]).toEqual([401, 'Bearer']);
      expect(await response.json()).toEqual({
        error: expect.stringMatching(/^expected the header Authorization/),
      });
    }
    for (const path of ['/v1/models', '/v1/models/colours', '/v2/models', '/v2/models/colours'])
      expect((await world.get(path)).status, path).toBe(401);
    for (const path of ['/', '/livez', '/readyz', '/metrics', '/v2', '/v2/health/live', '/v2/health/ready'])
      expect((await world.get(path)).status, path).toBe(200);
    expect((await predict(key)).status).toBe(200);
    expect((await world.get('/v2/models/colours', { Authorization: `bearer ${key}` })).status).toBe(200);
  });

  test('refuses an image of more than 5 MiB, and says how large one may be', async () => {
    world = await createLoneWorld();
    const large = Buffer.concat([await spot([0, 0, 0]), new Uint8Array(5_242_880)]);
    const response = await world.post('/v1/models/colours:predict', { instances: [{ b64: base64(large) }] });
    expect([response.status, await response.json()]).toEqual([
      413,
      {
        error: `instances[0]: an image that is sent as bytes may have 5242880 bytes (5 MiB); got ${large.length}. Send a smaller image, or the tensor that the model takes`,
      },
    ]);
  });

  test('refuses a longer body than it holds, before the body has come', async () => {
    world = await createLoneWorld();
    const sent = request(world.url('/v2/models/colours/infer'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Content-Length': largestBody + 1 },
    });
    sent.flushHeaders();
    const [response] = await once(sent, 'response');
    expect(response.statusCode).toBe(413);
    sent.destroy();
  });

  test('has no room for more than so many requests, and has it again', async () => {
    world = await createLoneWorld();
    const open = Array.from({ length: 32 }, () => {
      const sent = request(world.url('/v2/models/colours/infer'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Content-Length': 9 },
      });
      sent.on('error', () => {});
      sent.write('{');
      return sent;
    });
    const untilIs = async (status: number) => {
      for (;;) {
        const response = await predict();
        const body = (await response.json()) as object;
        if (response.status === status) return { body, later: response.headers.get('Retry-After') };
        await sleep(5);
      }
    };
    expect(await untilIs(503)).toEqual({
      ...{ body: { error: 'too many requests are open: send the request again' }, later: '2' },
    });
    for (const sent of open) sent.destroy();
    expect((await untilIs(200)).body).toHaveProperty('predictions');
  });

  test('that is told to stop answers what it has taken, and takes no more', async () => {
    world = await createLoneWorld();
    const { waits } = world.device.hold();
    const answer = explanation();
    await waits;
    const stopped = world.worker.stop();
    const health = await world.get('/v2/health/ready');
    expect([health.status, await health.json()]).toEqual([503, { ready: false }]);
    expect((await world.get('/v1/models/colours')).status).toBe(503);
    const refused = await predict();
    expect([refused.status, await refused.json()]).toEqual([
      503,
      { error: 'the worker is stopping: send the request again' },
    ]);
    world.device.release();
    expect((await (await answer).json()) as object).toHaveProperty('explanations');
    await stopped;
    await expect(predict()).rejects.toThrow();
  });

  test('gives up what is not done in time, and says so', async () => {
    world = await createLoneWorld({ DRAIN_SECONDS: '0' });
    const { waits } = world.device.hold();
    const answer = explanation();
    await waits;
    const stopped = world.worker.stop();
    // Timers go off in their order: this one after the worker's own.
    setTimeout(() => world.device.release(), 50);
    const response = await answer;
    expect([response.status, await response.json()]).toEqual([
      503,
      { error: 'the worker is stopping: send the request again' },
    ]);
    await stopped;
  });

  test('ends a request that takes too long', async () => {
    const requests = new OpenRequests(1, 0.01);
    const untilAborted = (signal: AbortSignal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const ended = requests.run(new AbortController().signal, untilAborted).catch(refusalOf);
    expect(requests.isFull).toBe(true);
    expect(await ended).toMatchObject({
      status: 504,
      message: expect.stringMatching(/^the request took too long: /),
    });
    expect(requests.isFull).toBe(false);
  });
});

describe('a lone worker does not start', () => {
  const started = async (model: string) => {
    const worker = await startLoneWorker(
      { model, name: undefined, env: parseLoneEnv({ PORT: '0' }) },
      () => {},
    );
    try {
      const health = await fetch(`${worker.url}/v2/health/ready`);
      const failure = await worker.started.then(
        () => undefined,
        (error: Error) => error.message,
      );
      return [health.status, failure];
    } finally {
      await worker.stop();
    }
  };

  test('without its model, and names no folder of the machine', async () => {
    expect(await started('/nowhere/m.onnx')).toEqual([503, 'there is no model file m.onnx']);
  });

  test('on a file that is no model', async () => {
    expect(await started(import.meta.filename)).toEqual([
      503,
      expect.stringMatching(/^model worker\.test\.ts: /),
    ]);
  });
});
