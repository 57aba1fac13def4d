/**
 * `node test/load/batching.ts [--model PATH] [--photo FILE] [--jobs 64]`: photos explained by Grad-CAM one by one as they
 * come, and in batches, by the same process on the same machine. Prints one JSON document.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { float32, type Tensor } from '@whylight/core';
import { preprocess } from '@whylight/core/image';
import { resolveQuestion } from '@whylight/core/methods';
import {
  createRenderPool,
  createThreadedRuntime,
  decodeImage,
  ModelRegistry,
  PhotoExplainer,
  preparedFor,
  shapesModel,
  shareFairly,
} from '@whylight/host';
import { drawing } from '../service/pictures.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: shapesModel },
    photo: { type: 'string' },
    jobs: { type: 'string', default: '64' },
  },
});
const jobs = Number(values.jobs);
const clients = 16;

const registry = await ModelRegistry.open([values.model]);
const [model] = registry.list();
const photo = values.photo ? await readFile(values.photo) : (await drawing(1)).png;
const threaded = await createThreadedRuntime({ ep: 'cpu' });
const renderPool = createRenderPool(1);

interface Way {
  readonly clients: number;
  readonly most: number;
  readonly threads: boolean;
}

/** Measures whole explanations: decoding, computing, rendering, encoding. */
async function explanations({ clients: asking, most, threads }: Way) {
  const sizes: number[] = [];
  const explainer = new PhotoExplainer(threads ? shareFairly(threaded) : threaded, registry, {
    batch: { most, delay: 5, onBatch: (size) => sizes.push(size) },
    ...(threads ? { renderPool } : {}),
  });
  const one = () =>
    explainer.explain({ photo, model: model!.name, question: resolveQuestion({ method: 'grad-cam' }) });
  await one();
  sizes.length = 0;
  let left = jobs;
  const [begun, before] = [performance.now(), process.cpuUsage()];
  const client = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: asking }, client));
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  await explainer.close();
  return {
    per_second: round(jobs / seconds),
    cpu_ms_per_job: round((user + system) / 1000 / jobs),
    cores: round((user + system) / 1e6 / seconds),
    mean_batch: round(jobs / sizes.length),
  };
}

/** Measures the network and its explanation alone, without photo and pictures. */
async function computing(size: number) {
  const { createExplainer, readClassifier } = await import('@whylight/core');
  const { preprocessing } = await preparedFor(model!);
  const { input } = preprocess(await decodeImage(photo), preprocessing);
  const classifier = readClassifier(await model!.bytes(), { inputShape: input.shape.slice(1) });
  const explainer = await createExplainer(classifier, { method: 'grad-cam' }, threaded);
  const batch: Tensor<'float32'> = float32(
    [size, ...input.shape.slice(1)],
    Float32Array.from({ length: size * input.data.length }, (_, i) => input.data[i % input.data.length]!),
  );
  const run = () => explainer.attribute(batch, Array<number>(size).fill(-1));
  await run();
  const before = process.cpuUsage();
  const rounds = Math.ceil(jobs / size);
  for (let n = 0; n < rounds; n++) await run();
  const { user, system } = process.cpuUsage(before);
  await explainer.close();
  return round((user + system) / 1000 / (rounds * size));
}

const serial = await explanations({ clients: 1, most: 1, threads: false });
const unbatched = await explanations({ clients, most: 1, threads: true });
const batched = await explanations({ clients, most: 8, threads: true });
const [alone, together] = [await computing(1), await computing(8)];
process.stdout.write(
  `${JSON.stringify(
    {
      one_at_a_time: serial,
      sixteen_clients_unbatched: unbatched,
      sixteen_clients_batched: batched,
      ratio_to_one_at_a_time: round(batched.per_second / serial.per_second),
      ratio_to_unbatched: round(batched.per_second / unbatched.per_second),
      compute_cpu_ms_per_image: { alone, in_batches_of_8: together, ratio: round(alone / together) },
    },
    null,
    2,
  )}\n`,
);
await renderPool.close();
await threaded.close();

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
