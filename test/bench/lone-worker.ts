/**
 * `node test/bench/lone-worker.ts [--model efficientnet-lite0] [--rounds 100]`: what a lone worker adds to a prediction.
 * Each round asks the host in this process, then the worker by HTTP, so that other load of the machine affects both.
 * Prints one JSON document: medians in milliseconds, of a photo and of a tensor, and the least of each, which a busy
 * machine changes little; `livez` is the time of an empty answer.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Tensor } from '@whylight/core';
import { preprocess } from '@whylight/core/image';
import {
  createThreadedRuntime,
  decodeImage,
  embeddedModels,
  ModelRegistry,
  PhotoClassifier,
  preparedFor,
} from '@whylight/host';
import { startLone } from '../consumers/lone-worker.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'efficientnet-lite0' },
    rounds: { type: 'string', default: '100' },
  },
});
const rounds = Number(values.rounds);
const photo = await readFile(fileURLToPath(new URL('../../apps/cli/photos/coffee.jpg', import.meta.url)));
const registry = await ModelRegistry.open(embeddedModels);
const model = await registry.get(values.model);
const runtime = await createThreadedRuntime({ ep: 'cpu' });
const classifier = new PhotoClassifier(runtime, registry);
const tensor = preprocess(await decodeImage(photo), (await preparedFor(model)).preprocessing).input;
const { url, stop } = await startLone(values.model);

const post = async (path: string, body: string | Uint8Array, headers: Record<string, string>) => {
  const response = await fetch(url + path, { method: 'POST', body: body as BodyInit, headers });
  if (!response.ok) throw new Error(await response.text());
  await response.arrayBuffer();
};
const json = { 'Content-Type': 'application/json' };
const photoBody = JSON.stringify({ instances: [{ b64: photo.toString('base64') }] });
const { name } = (
  (await (await fetch(`${url}/v2/models/${values.model}`)).json()) as { inputs: { name: string }[] }
).inputs[1]!;
const { body: tensorBody, headers: tensorHeaders } = binaryRequest(name, tensor);

/** Measures the median times of `ask` and of the host for the same. */
async function measure(host: () => Promise<unknown>, ask: () => Promise<unknown>): Promise<object> {
  const [alone, asked]: [number[], number[]] = [[], []];
  const timed = async (run: () => Promise<unknown>, into: number[]) => {
    // ONNX Runtime's threads spin for a while after a run, and would take the cores from the other process.
    await sleep(30);
    const start = performance.now();
    await run();
    into.push(performance.now() - start);
  };
  for (let round = -5; round < rounds; round++) {
    // The first rounds warm up.
    await timed(host, round < 0 ? [] : alone);
    await timed(ask, round < 0 ? [] : asked);
  }
  const [bare, http] = [median(alone), median(asked)];
  return {
    ...{ host_p50_ms: round2(bare), http_p50_ms: round2(http), overhead_p50_ms: round2(http - bare) },
    overhead_least_ms: round2(Math.min(...asked) - Math.min(...alone)),
  };
}

try {
  const answer = {
    ...{ model: values.model, rounds, photo_bytes: photo.length },
    livez: await measure(
      async () => {},
      async () => (await fetch(`${url}/livez`)).text(),
    ),
    photo: await measure(
      () => classifier.classify(photo, values.model, 5),
      () => post(`/v1/models/${values.model}:predict`, photoBody, json),
    ),
    tensor: await measure(
      () => classifier.classifyTensor(tensor, values.model, 5),
      () => post(`/v2/models/${values.model}/infer`, tensorBody, tensorHeaders),
    ),
  };
  console.log(JSON.stringify(answer, null, 2));
} finally {
  await stop();
  await classifier.close();
  await runtime.close();
}

/** Builds a request with a tensor in V2's binary extension. */
function binaryRequest(input: string, { shape, data }: Tensor<'float32'>) {
  const parameters = { binary_data_size: data.byteLength };
  const inputs = [{ name: input, datatype: 'FP32', shape, parameters }];
  const head = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  return {
    body: Buffer.concat([head, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
    headers: {
      'Content-Type': 'application/octet-stream',
      'Inference-Header-Content-Length': String(head.length),
    },
  };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
