import { bytesElements } from '@whylight/contract/kserve';
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

interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: number[];
  readonly data: unknown[];
  readonly parameters?: { readonly binary_data_size?: number };
}
interface Answer {
  readonly model_name: string;
  readonly outputs: Tensor[];
  readonly error: string;
}
const ask = async (path: string, body: unknown, status = 200): Promise<Answer> => {
  const response = await world.post(`/v2/models/${path}`, body);
  const answer = (await response.json()) as Answer;
  expect(response.status, answer.error).toBe(status);
  return answer;
};
const output = ({ outputs }: Answer, name: string) => outputs.find((one) => one.name === name)!;
const photos = (...all: Uint8Array[]) => ({
  inputs: [{ name: 'image_bytes', datatype: 'BYTES', shape: [all.length], data: all.map(base64) }],
});
const tensorInput = async (photo: Uint8Array) => {
  const { shape, data } = await world.tensor(photo);
  return { name: 'input', datatype: 'FP32', shape, data: Array.from(data) };
};

/** A request with its tensor's bytes behind the JSON, as V2's extension has it, and the answer's tensors read likewise. */
async function askBinary(path: string, json: object, tail: Uint8Array) {
  const head = Buffer.from(JSON.stringify(json));
  const response = await world.post(`/v2/models/${path}`, Buffer.concat([head, tail]), {
    'Content-Type': 'application/octet-stream',
    'Inference-Header-Content-Length': String(head.length),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const length = Number(response.headers.get('Inference-Header-Content-Length') ?? bytes.length);
  const answer = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length))) as Answer;
  expect(response.status, answer.error).toBe(200);
  const tails = new Map<string, Uint8Array>();
  let at = length;
  for (const { name, parameters } of answer.outputs) {
    const size = parameters?.binary_data_size ?? 0;
    tails.set(name, bytes.slice(at, at + size));
    at += size;
  }
  expect(at).toBe(bytes.length);
  return { answer, tails };
}
const lengthBefore = (bytes: Uint8Array) => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
};

describe('V2 of KServe', () => {
  test('says what it is, and that it is ready', async () => {
    expect(await (await world.get('/v2')).json()).toEqual({
      ...{ name: 'whylight', extensions: ['binary_tensor_data'] },
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
    expect(await (await world.get('/v2/health/live')).json()).toEqual({ live: true });
    expect(await (await world.get('/v2/health/ready')).json()).toEqual({ ready: true });
    expect(await (await world.get('/v2/models/colours/ready')).json()).toMatchObject({ ready: true });
    expect((await world.get('/v2/models/other/ready')).status).toBe(404);
    expect(await (await world.get('/v2/models')).json()).toEqual({
      models: ['colours', 'colours-explainer'],
    });
  });

  test.each(['colours', 'colours-explainer'])('answers of %s what its metadata says', async (name) => {
    const metadata = (await (await world.get(`/v2/models/${name}`)).json()) as {
      inputs: Tensor[];
      outputs: Tensor[];
    };
    expect(metadata.inputs).toEqual([
      { name: 'image_bytes', datatype: 'BYTES', shape: [-1] },
      { name: 'input', datatype: 'FP32', shape: [-1, 3, 16, 16] },
    ]);
    const answer = await ask(`${name}/infer`, {
      ...photos(red, blue),
      ...(name === 'colours' ? {} : { parameters: { overlay: true } }),
    });
    const shown = answer.outputs.map(({ name, datatype }) => ({ name, datatype }));
    expect(shown).toEqual(metadata.outputs.map(({ name, datatype }) => ({ name, datatype })));
    for (const [n, { shape }] of metadata.outputs.entries()) {
      const fits = shape.every((side, axis) => side === -1 || side === answer.outputs[n]!.shape[axis]);
      expect(fits && shape.length === answer.outputs[n]!.shape.length, answer.outputs[n]!.name).toBe(true);
    }
  });

  test('infers what the host predicts, of images and of tensors', async () => {
    const expected = await Promise.all([red, blue].map((photo) => world.predictions(photo, 3)));
    const answer = await ask('colours/infer', {
      // KServe's own client names the model in the body too.
      ...{ id: 'a', model_name: 'colours' },
      ...photos(red, blue),
      parameters: { top_k: 2 },
    });
    expect(answer).toMatchObject({ model_name: 'colours', id: 'a' });
    const top = expected.flatMap((row) => row.slice(0, 2));
    expect(output(answer, 'class_index')).toEqual({
      ...{ name: 'class_index', datatype: 'INT64', shape: [2, 2] },
      data: top.map(({ class_index }) => class_index),
    });
    expect(output(answer, 'label').data).toEqual(top.map(({ label }) => label));
    expect(output(answer, 'probability').data).toEqual(top.map(({ probability }) => probability));
    expect(output(answer, 'score').data).toEqual(top.map(({ score }) => score));
    const inOrder = expected.flatMap((row) => row.toSorted((a, b) => a.class_index - b.class_index));
    expect(output(answer, 'scores')).toMatchObject({
      shape: [2, 3],
      data: inOrder.map(({ score }) => score),
    });
    expect(output(answer, 'probabilities').data).toEqual(inOrder.map(({ probability }) => probability));

    const of = await ask('colours/infer', {
      inputs: [await tensorInput(red)],
      outputs: [{ name: 'scores' }],
    });
    expect(of.outputs).toEqual([
      { ...output(answer, 'scores'), shape: [1, 3], data: inOrder.slice(0, 3).map(({ score }) => score) },
    ]);
  });

  test.each(['colours/explain', 'colours-explainer/infer'])(
    'explains what the host explains, at %s',
    async (path) => {
      const target = { class_index: 2 };
      const { result, attribution, overlay } = await world.explanation(red, {
        ...{ method: 'integrated-gradients', parameters: { n_steps: 9 }, target },
      });
      const answer = await ask(path, {
        ...photos(red),
        // Values of V2's parameters are plain: what is an object in the API is its JSON as text.
        parameters: { parameters: '{"n_steps": 9}', target: JSON.stringify(target), overlay: true },
      });
      expect(answer.model_name).toBe(path.split('/')[0]);
      expect(output(answer, 'attribution')).toEqual({
        ...{ name: 'attribution', datatype: 'FP32', shape: [1, 3, 16, 16] },
        // JSON has no -0.
        data: Array.from(attribution.data, (value) => value + 0),
      });
      expect(output(answer, 'target').data).toEqual([2]);
      expect(output(answer, 'convergence_delta').data).toEqual([
        Math.fround(result.attribution.convergence_delta!),
      ]);
      expect(output(answer, 'label').data).toEqual(result.predictions.map(({ label }) => label));
      expect(output(answer, 'overlay')).toEqual({
        ...{ name: 'overlay', datatype: 'BYTES', shape: [1], parameters: { content_type: 'base64' } },
        data: [base64(overlay)],
      });
    },
  );

  test('takes and gives tensors as bytes', async () => {
    const { data, shape } = await world.tensor(red);
    const { attribution, result } = await world.explanation(red, { method: 'grad-cam' });
    const size = data.byteLength;
    const input = { name: 'input', datatype: 'FP32', shape, parameters: { binary_data_size: size } };
    const { answer, tails } = await askBinary(
      'colours/explain',
      {
        inputs: [input],
        parameters: { method: 'grad-cam', binary_data_output: true },
        outputs: [
          { name: 'label' },
          { name: 'target', parameters: { binary_data: false } },
          { name: 'attribution' },
        ],
      },
      new Uint8Array(data.buffer, data.byteOffset, size),
    );
    expect(answer.outputs.map(({ name }) => name)).toEqual(['attribution', 'target', 'label']);
    expect(output(answer, 'target').data).toEqual([result.target.class_index]);
    expect(new Float32Array(tails.get('attribution')!.buffer)).toEqual(attribution.data);
    const labels = bytesElements(tails.get('label')!, 'label').map((one) => new TextDecoder().decode(one));
    expect(labels).toEqual(result.predictions.map(({ label }) => label));
  });

  test.each([
    ['themselves', undefined, (photo: Uint8Array) => photo],
    ['in base 64, as it says', 'base64', (photo: Uint8Array) => Buffer.from(base64(photo))],
  ])('takes the bytes of images %s', async (_, content_type, sent) => {
    const tail = Buffer.concat([red, blue].map((photo) => lengthBefore(sent(photo))));
    const parameters = { binary_data_size: tail.length, ...(content_type && { content_type }) };
    const input = { name: 'image_bytes', datatype: 'BYTES', shape: [2, 1], parameters };
    const { answer } = await askBinary('colours/infer', { inputs: [input] }, tail);
    expect(output(answer, 'label').data).toEqual(
      (await Promise.all([red, blue].map((photo) => world.predictions(photo, 5))))
        .flat()
        .map(({ label }) => label),
    );
  });
});

describe('V2 refuses', () => {
  const bytes = (change: object) => ({ inputs: [{ ...photos(red).inputs[0], ...change }] });
  const floats = (change: object) => ({
    inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3, 16, 16], data: Array(768).fill(0), ...change }],
  });
  test.each([
    [() => '{"inputs":', /^the body: expected JSON in UTF-8; /],
    [
      () => ({ instances: [] }),
      /^the body: there is no "instances". .*It has id, parameters, inputs, outputs, model_name, model_version\.$/,
    ],
    [
      () => ({ inputs: [] }),
      /^inputs: expected one tensor, "image_bytes", BYTES \[N\], or "input", FP32 \[N, 3, 16, 16\]; got a list of 0$/,
    ],
    [() => bytes({ name: 'photo' }), /^inputs\[0\]: expected "image_bytes", .*; got "photo", BYTES \[1\]$/],
    [
      () => bytes({ shape: [2] }),
      /^inputs\[0\]: expected shape \[N\] or \[N, 1\] and N images; got \[2\] and a list of 1$/,
    ],
    [() => bytes({ shape: [33] }), /^inputs\[0\].shape: expected 1 to 32 images; got 33$/],
    [() => bytes({ data: ['?'] }), /^inputs\[0\].data\[0\]: expected an image file in base 64; got "\?"$/],
    [() => bytes({ data: undefined }), /^inputs\[0\]: expected either data, or parameters.binary_data_size/],
    [
      () => bytes({ data: undefined, parameters: { binary_data_size: 9 } }),
      /expected 9 bytes behind the JSON.*got 0$/,
    ],
    [() => floats({ datatype: 'UINT8' }), /; got "input", UINT8 \[1, 3, 16, 16\]$/],
    [
      () => floats({ shape: [1, 3, 8, 32] }),
      /^inputs\[0\].shape: expected \[N, 3, 16, 16\]; got \[1, 3, 8, 32\]$/,
    ],
    [() => floats({ data: [0] }), /^inputs\[0\].data: shape \[1, 3, 16, 16\] holds 768 numbers; got 1$/],
    [
      () => floats({ data: Array(768).fill(1e39) }),
      /^inputs\[0\].data\[0\]: expected a number that FP32 holds; got 1e\+39$/,
    ],
    [
      () => ({ ...floats({}), outputs: [{ name: 'score ' }] }),
      /^outputs: there is no "score ". Did you mean "score"\?/,
    ],
    [() => ({ ...floats({}), parameters: { top: 1 } }), /^parameters: there is no "top"/],
    [
      () => ({ ...floats({}), parameters: { binary_data_output: 1 } }),
      /^parameters.binary_data_output: expected true or false; got 1$/,
    ],
    [() => ({ ...floats({}), id: 3 }), /^id: expected a text$/],
  ])('%s', async (body, message) => {
    expect((await ask('colours/infer', body(), 400)).error).toMatch(message);
  });

  test.each([
    [[Number.NaN], 0, /^inputs\[0\]: expected finite numbers; got NaN or infinity$/],
    [[Number.POSITIVE_INFINITY], 0, /^inputs\[0\]: expected finite numbers; got NaN or infinity$/],
    [[], 1, /^inputs\[0\]: expected 3072 bytes, 4 for each of 768 elements; got 3076$/],
  ])('a binary tensor with %j', async (first, more, message) => {
    const data = new Float32Array(768 + more);
    data.set(first);
    const tail = new Uint8Array(data.buffer);
    const parameters = { binary_data_size: tail.length };
    const head = Buffer.from(
      JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3, 16, 16], parameters }] }),
    );
    const response = await world.post('/v2/models/colours/infer', Buffer.concat([head, tail]), {
      'Inference-Header-Content-Length': String(head.length),
    });
    expect([response.status, ((await response.json()) as Answer).error]).toEqual([
      400,
      expect.stringMatching(message),
    ]);
  });

  test('elements of BYTES that go beyond what came', async () => {
    expect(() => bytesElements(Uint8Array.of(9, 0, 0, 0, 1), 'x')).toThrow(
      'x: expected the elements of a BYTES tensor, each after its length in 4 bytes; element 0 goes beyond the 5 bytes that came',
    );
    expect(() => bytesElements(Uint8Array.of(0, 0, 0), 'x')).toThrow('element 0 goes beyond the 3 bytes');
    expect(bytesElements(Uint8Array.of(1, 0, 0, 0, 7, 0, 0, 0, 0), 'x')).toEqual([
      Uint8Array.of(7),
      new Uint8Array(),
    ]);
  });

  test('parameters that are no JSON, and a picture of a tensor', async () => {
    const broken = await ask('colours/explain', { ...photos(red), parameters: { target: '{"class' } }, 400);
    expect(broken.error).toBe('parameters.target: expected JSON as text; got "{\\"class"');
    const drawn = await ask('colours/explain', { ...floats({}), outputs: [{ name: 'overlay' }] }, 400);
    expect(drawn.error).toBe('overlay: a tensor shows no picture to draw on; send "image_bytes"');
  });

  test.each([
    ['Inference-Header-Content-Length', '1e3', 400],
    ['Inference-Header-Content-Length', '99999', 400],
    ['Content-Type', 'text/plain', 415],
    ['Content-Encoding', 'gzip', 415],
  ])('the header %s: %s', async (name, value, status) => {
    const response = await world.post('/v2/models/colours/infer', photos(red), { [name]: value });
    expect(response.status).toBe(status);
    expect(((await response.json()) as Answer).error).toContain(`${name}: expected`.replace(/^Inf/, 'Inf'));
  });

  test.each(['__proto__', 'colours-explain', 'colours/versions/1'])('the model %s', async (name) => {
    expect((await world.post(`/v2/models/${name}/infer`, photos(red))).status).toBe(404);
  });
});
