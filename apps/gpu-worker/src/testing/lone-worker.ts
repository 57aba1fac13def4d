import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Runtime, readNpy, type Tensor } from '@whylight/core';
import { preprocess } from '@whylight/core/image';
import { resolveQuestion } from '@whylight/core/methods';
import {
  createRuntime,
  createThreadedRuntime,
  decodeImage,
  encodePng,
  ModelRegistry,
  PhotoClassifier,
  PhotoExplainer,
  preparedFor,
} from '@whylight/host';
import { colourNetwork } from '@whylight/host/testing';
import { parseLoneEnv } from '../env.ts';
import { startLoneWorker } from '../kserve/worker.ts';

const manifest = {
  labels: ['red', 'green', 'blue'],
  preprocessing: {
    ...{ channels: 'RGB', scale: 'x/255', mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    ...{ resize_short_side: 16, center_crop: 16, resample: 'bilinear' },
  },
};

/** An image of 20 × 24, grey with a spot of that colour, `left` pixels from the left. */
export function spot(colour: readonly [number, number, number], left = 4): Promise<Uint8Array> {
  const data = new Uint8Array(20 * 24 * 3).fill(90);
  for (let y = 8; y < 16; y++) for (let x = left; x < left + 8; x++) data.set(colour, (y * 20 + x) * 3);
  return encodePng({ width: 20, height: 24, channels: 3, data });
}

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** A device whose runs wait while a test holds it. */
class HeldDevice {
  #free = Promise.resolve();
  #release = () => {};
  #waiting = Promise.withResolvers<void>();

  /** Lets no run begin. `waits` resolves when a run waits. */
  hold(): { waits: Promise<void> } {
    this.#waiting = Promise.withResolvers();
    this.#free = new Promise((resolve) => {
      this.#release = resolve;
    });
    return { waits: this.#waiting.promise };
  }

  release(): void {
    this.#release();
  }

  over<R extends Runtime>(runtime: R): R {
    return {
      ...runtime,
      load: async (graph: Parameters<Runtime['load']>[0]) => {
        const session = await runtime.load(graph);
        return {
          run: async (feeds: Parameters<typeof session.run>[0]) => {
            this.#waiting.resolve();
            await this.#free;
            return session.run(feeds);
          },
          close: () => session.close(),
        };
      },
    };
  }
}

/** A lone worker with the network of colours, and the host on the same model to compare its answers with. */
export async function createLoneWorld(variables: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'whylight-lone-'));
  const model = join(folder, 'colours.onnx');
  await writeFile(model, colourNetwork());
  await writeFile(join(folder, 'colours.json'), JSON.stringify(manifest));
  const log: { event: string; fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  const env = parseLoneEnv({ PORT: '0', DRAWING_THREADS: '1', ...variables });
  const device = new HeldDevice();
  const worker = await startLoneWorker(
    { model, name: undefined, env },
    (event, fields) => log.push({ event, fields }),
    async (options) => device.over(await createThreadedRuntime(options)),
  );
  await worker.started;

  const registry = await ModelRegistry.open([model]);
  const runtime = await createRuntime({ ep: 'cpu' });
  const explainer = new PhotoExplainer(runtime, registry);
  const classifier = new PhotoClassifier(runtime, registry);
  const url = (path: string) => worker.url + path;
  return {
    ...{ worker, log, url, device },
    get: (path: string, headers: HeadersInit = {}) => fetch(url(path), { headers }),
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(url(path), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body:
          typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
      }),
    /** The host's own predictions for the photo. */
    predictions: async (photo: Uint8Array, count: number) =>
      (await classifier.classify(photo, 'colours', count)).predictions,
    async explanation(photo: Uint8Array, asked: Parameters<typeof resolveQuestion>[0]) {
      const question = resolveQuestion(asked);
      const { result, artifacts } = await explainer.explain({ photo, model: 'colours', question });
      const attribution = readNpy(artifacts.get('attribution.npy')!) as Tensor<'float32'>;
      return { result, attribution, overlay: artifacts.get('overlay.png')! };
    },
    /** The photo as the network takes it. */
    async tensor(photo: Uint8Array): Promise<Tensor<'float32'>> {
      const { preprocessing } = await preparedFor(await registry.get('colours'));
      return preprocess(await decodeImage(photo), preprocessing).input;
    },
    async metric(name: string): Promise<number> {
      const text = await (await fetch(url('/metrics'))).text();
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    },
    async close() {
      await worker.stop();
      await explainer.close();
      await classifier.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type LoneWorld = Awaited<ReturnType<typeof createLoneWorld>>;
