import { sizeOf, type Tensor } from '@whylight/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { base64, createLoneWorld, type LoneWorld, spot } from '../testing/lone-worker.ts';

let world: LoneWorld;
let red: Uint8Array;
let blue: Uint8Array;
beforeAll(async () => {
  world = await createLoneWorld();
  [red, blue] = await Promise.all([spot([250, 60, 60]), spot([60, 60, 250], 10)]);
});
afterAll(() => world.close());

interface Answer {
  readonly predictions: { class_index: number; label: string; probability: number; score: number }[][];
  readonly explanations: Record<string, unknown>[];
  readonly error: string;
}
const ask = async (verb: string, body: unknown, status = 200): Promise<Answer> => {
  const response = await world.post(`/v1/models/colours:${verb}`, body);
  const answer = (await response.json()) as Answer;
  expect(response.status, answer.error).toBe(status);
  return answer;
};

/** Numbers within lists as JSON holds a tensor. */
const lists = ({ shape, data }: Tensor<'float32'>): unknown => {
  const [length = 0, ...below] = shape;
  if (below.length === 0) return Array.from(data);
  const step = sizeOf(below);
  return Array.from({ length }, (_, i) =>
    lists({ dtype: 'float32', shape: below, data: data.slice(i * step, (i + 1) * step) }),
  );
};
/** What JSON makes of a value: it has no -0. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const plain = (predictions: Awaited<ReturnType<LoneWorld['predictions']>>) =>
  predictions.map(({ label_zh: _, ...rest }) => rest);

describe('V1 of KServe', () => {
  test('lists the model, and says that it is ready', async () => {
    expect(await (await world.get('/')).json()).toEqual({ status: 'alive' });
    expect(await (await world.get('/v1/models')).json()).toEqual({ models: ['colours'] });
    expect(await (await world.get('/v1/models/colours')).json()).toEqual({ name: 'colours', ready: true });
  });

  test.each([
    ['b64', (b64: string) => ({ b64 })],
    ['image', (b64: string) => ({ image: { b64 } })],
    ['image_bytes', (b64: string) => ({ image_bytes: { b64 } })],
    ['data', (data: string) => ({ data })],
  ])('predicts what the host predicts, of an image as %s', async (_, instance) => {
    const { predictions } = await ask('predict', {
      instances: [red, blue].map((one) => instance(base64(one))),
    });
    expect(predictions).toEqual([
      plain(await world.predictions(red, 5)),
      plain(await world.predictions(blue, 5)),
    ]);
    expect(predictions.map(([first]) => first!.label)).toEqual(['red', 'blue']);
  });

  test('predicts the same of the tensor, and lists as many classes as it is asked for', async () => {
    const [image] = lists(await world.tensor(red)) as unknown[];
    const { predictions } = await ask('predict', { instances: [image], parameters: { top_k: 2 } });
    expect(predictions).toEqual([plain(await world.predictions(red, 2))]);
  });

  test.each([
    { method: 'grad-cam' },
    { method: 'integrated-gradients', parameters: { n_steps: 7 } },
    { method: 'grad-cam', target: { label: 'blue' }, layers: ['-1'] },
    {
      method: 'occlusion',
      target: { class_index: 1 },
      parameters: { sliding_window_shapes: [3, 4, 4], strides: [3, 4, 4] },
    },
  ])('explains what the host explains, by %o', async (question) => {
    const { result, attribution } = await world.explanation(red, question);
    const { explanations, predictions } = await ask('explain', {
      instances: [{ b64: base64(red) }],
      parameters: question,
    });
    expect(predictions).toEqual([plain(result.predictions)]);
    expect(explanations).toEqual([
      {
        method: question.method,
        layers: result.layers,
        target: plain([result.target])[0],
        shape: attribution.shape.slice(1),
        sum: result.attribution.sum,
        convergence_delta: result.attribution.convergence_delta,
        warnings: result.warnings,
        attribution: asJson((lists(attribution) as unknown[])[0]),
      },
    ]);
  });

  test('explains by integrated gradients where no method is named, as the gateway’s route does', async () => {
    const { explanations } = await ask('explain', { instances: [{ b64: base64(red) }] });
    expect(explanations[0]).toMatchObject({ method: 'integrated-gradients', shape: [3, 16, 16] });
  });

  test('explains the images of one request in one run of the graph, tensors among them', async () => {
    // Waits for three images however long they take, and for no more.
    const three = await createLoneWorld({ BATCH: '3', BATCH_DELAY_MS: '50000' });
    const [tensor] = lists(await world.tensor(blue)) as unknown[];
    const response = await three.post('/v1/models/colours:explain', {
      instances: [{ b64: base64(red) }, { b64: base64(blue) }, tensor],
      parameters: { method: 'grad-cam' },
    });
    const { explanations } = (await response.json()) as Answer;
    expect(await three.metric('whylight_batch_size_count')).toBe(1);
    expect(await three.metric('whylight_batch_size_sum')).toBe(3);
    expect(explanations[2]!.attribution).toEqual(explanations[1]!.attribution);
    expect(explanations[0]!.attribution).not.toEqual(explanations[1]!.attribution);
    await three.close();
  });

  test('sends the picture only where it is asked for, drawn as it is asked for', async () => {
    const instances = [{ b64: base64(red) }];
    const picture = async (parameters: object): Promise<unknown> =>
      (await ask('explain', { instances, parameters: { method: 'grad-cam', ...parameters } }))
        .explanations[0]!.overlay;
    const { overlay } = await world.explanation(red, { method: 'grad-cam' });
    expect(await picture({})).toBeUndefined();
    expect(await picture({ overlay: true })).toEqual({ b64_png: base64(overlay) });
    const gray = await picture({ overlay: true, output: { visualization: { color_map: 'gray' } } });
    expect(gray).not.toEqual({ b64_png: base64(overlay) });
  });
});

describe('V1 refuses', () => {
  const one = () => [{ b64: base64(red) }];
  test.each([
    ['{', /^the body: expected JSON in UTF-8; /],
    [[], /^the body: expected an object; got a list of 0$/],
    [{}, /^instances: expected a list of 1 to 32 images; got nothing$/],
    [{ instances: [] }, /got a list of 0$/],
    [{ instances: Array(33).fill(1) }, /got a list of 33$/],
    [{ instance: [1] }, /^the body: there is no "instance". Did you mean "instances"\?/],
    [
      { instances: ['x'] },
      /^instances\[0\]: expected \{"b64": "\.\.\."\}.*tensor \[3, 16, 16\] as lists; got "x"$/,
    ],
    [{ instances: [{ b64: 'x y!' }] }, /^instances\[0\]: expected an image file in base 64; got "x y!"$/],
    [{ instances: [{ b64: 'aaaa' }] }, /^instance 0: This is not an image that can be read/],
    [
      { instances: [{ image: { b6: 'aaaa' } }] },
      /^instances\[0\].image: there is no "b6". Did you mean "b64"\?/,
    ],
    [{ instances: [[1, 2]] }, /^instances\[0\]: expected a list of 3 lists; got a list of 2$/],
    [{ instances: [[[], [], []]] }, /^instances\[0\]\[0\]: expected a list of 16 lists; got a list of 0$/],
    [
      { instances: [Array(3).fill(Array(16).fill(Array(16).fill('1')))] },
      /\[0\]\[0\]\[0\]: expected a number .*got "1"$/,
    ],
  ])('%j', async (body, message) => {
    expect((await ask('predict', body, 400)).error).toMatch(message);
  });

  test.each([
    [{ top_k: 0 }, /^parameters.top_k: /],
    [{ top_n: 1 }, /^parameters: there is no "top_n". Did you mean "top_k"\?/],
    [JSON.parse('{"__proto__": 1}'), /^parameters: there is no "__proto__"/],
    ['x', /^parameters: expected an object; got "x"$/],
  ])('to predict with %j', async (parameters, message) => {
    expect((await ask('predict', { instances: one(), parameters }, 400)).error).toMatch(message);
  });

  test.each([
    [{ layer: '-1' }, /^parameters: there is no "layer". Did you mean "layers"\?/],
    [{ method: 'gradcam' }, /^there is no method "gradcam"; did you mean "grad-cam"\?$/],
    [{ method: 'constructor' }, /^there is no method "constructor"/],
    [{ parameters: { n_step: 3 } }, /has no parameter "n_step"; did you mean "n_steps"\?/],
    [{ parameters: JSON.parse('{"__proto__": 3}') }, /has no parameter "__proto__"/],
    [{ parameters: { n_steps: 0 } }, /^parameter "n_steps" of integrated-gradients: /],
    [{ target: 'dog' }, /^parameters.target: expected "predicted", .*got "dog"$/],
    [{ target: { class_index: 3 } }, /^instance 0: target: expected a class index from 0 to 2, got 3$/],
    [{ target: { label: 'toString' } }, /^instance 0: target: no class is called "toString"/],
    [{ method: 'grad-cam', layers: ['nowhere'] }, /^instance 0: .*nowhere/],
    [{ overlay: 'yes' }, /^parameters.overlay: /],
    [{ convention: 'torch' }, /^parameters.convention: /],
  ])('to explain with %j', async (parameters, message) => {
    expect((await ask('explain', { instances: one(), parameters }, 400)).error).toMatch(message);
  });

  test('to draw on a tensor', async () => {
    const body = { instances: lists(await world.tensor(red)), parameters: { overlay: true } };
    expect((await ask('explain', body, 400)).error).toBe(
      'parameters.overlay: a tensor shows no picture to draw on; send an image',
    );
  });

  test.each(['colour', '__proto__', 'constructor', '%00'])(
    'the model %s, which is not there',
    async (name) => {
      for (const verb of ['predict', 'explain']) {
        const response = await world.post(`/v1/models/${name}:${verb}`, { instances: one() });
        expect(response.status).toBe(404);
        expect((await response.json()) as object).toEqual({
          error: expect.stringMatching(/^there is no model ".*"; this worker serves colours$/),
        });
      }
      expect((await world.get(`/v1/models/${name}`)).status).toBe(404);
    },
  );

  test('a verb that is not there', async () => {
    const response = await world.post('/v1/models/colours:train', { instances: one() });
    expect([response.status, await response.json()]).toEqual([
      404,
      { error: 'expected POST /v1/models/NAME:predict or /v1/models/NAME:explain' },
    ]);
  });
});
