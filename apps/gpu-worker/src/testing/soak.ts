/**
 * `node apps/gpu-worker/src/testing/soak.ts [--jobs 10000] [--every 500]`: a worker in this process takes mixed jobs of
 * several tenants, photos, models and methods, one after the other sixteen at a time; its memory is written down on
 * stdout, one JSON line each time. A worker that keeps something of every job grows without end.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { shapesModel } from '@whylight/host';
import { colourNetwork } from '@whylight/host/testing';
import { createWorld, disc, sha256 } from './world.ts';

const { values } = parseArgs({
  options: { jobs: { type: 'string', default: '10000' }, every: { type: 'string', default: '500' } },
});
const [jobs, every] = [Number(values.jobs), Number(values.every)];

const folder = await mkdtemp(join(tmpdir(), 'whylight-soak-'));
const sides = [16, 24, 32];
for (const side of sides) await writeFile(join(folder, `${side}.onnx`), colourNetwork({ side }));
const world = await createWorld({
  MODELS: [
    { name: 'shapes', path: join(shapesModel, 'shapes.onnx') },
    ...sides.map((side) => ({ name: `colours-${side}`, path: join(folder, `${side}.onnx`) })),
  ],
  EXPLAINERS: 8,
});
const { models } = await world.catalog();
const photos = await Promise.all([40, 64, 90, 130, 200].map((width) => disc(width, 40 + (width % 50))));
const methods = [
  { method: 'grad-cam', parameters: {} },
  { method: 'saliency', parameters: {} },
  { method: 'input-x-gradient', parameters: {} },
  { method: 'layer-cam', parameters: {} },
  { method: 'integrated-gradients', parameters: { n_steps: 8 } },
  { method: 'grad-cam', parameters: { nonsense: 1 } },
];
const pick = <T>(from: readonly T[], n: number): T => from[n % from.length]!;

const offer = async (n: number): Promise<void> => {
  const { digest, preprocessing } = pick(models, n * 7 + Math.floor(n / 3));
  const photo = pick(photos, n * 3 + Math.floor(n / 11));
  const key = sha256(Buffer.from(`job ${n}`));
  const job = await world.prepared(photo, {
    key,
    output_prefix: `t/tenant-${n % 5}/x/${key}/1/`,
    question: { model: digest, preprocessing, ...pick(methods, n) },
  });
  while ((await world.post(job)).status !== 202) await sleep(20);
};

const measure = (done: number) => {
  const { rss, heapUsed, external } = process.memoryUsage();
  const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);
  const line = {
    jobs: done,
    rss_mb: megabytes(rss),
    heap_mb: megabytes(heapUsed),
    external_mb: megabytes(external),
  };
  process.stdout.write(`${JSON.stringify({ ...line, seconds: Math.round(performance.now() / 1000) })}\n`);
};

const ends: Record<string, number> = {};
for (let n = 0, done = 0, next = every; done < jobs; ) {
  while (n < jobs && n - done < 24) await offer(n++);
  await sleep(5);
  // The data of the test's own gateway and store would grow; only the worker's memory is of interest.
  const ended = world.endings();
  done += ended.length;
  for (const { status } of ended) ends[status] = (ends[status] ?? 0) + 1;
  world.gateway.reports.splice(0);
  world.gateway.requests.splice(0);
  world.gateway.claims.splice(0);
  world.lines.splice(0);
  for (const object of world.storage.objects.keys())
    if (object.includes('/x/')) world.storage.objects.delete(object);
  if (done >= next) {
    measure(done);
    next += every;
  }
}
process.stdout.write(`${JSON.stringify(ends)}\n`);
await world.close();
await rm(folder, { recursive: true });
