import { InputError } from '@whylight/core';
import {
  createRenderPool,
  createThreadedRuntime,
  DeviceError,
  ExplainerCache,
  ModelNotFoundError,
  ModelRegistry,
  PhotoClassifier,
  PhotoExplainer,
  preparedFor,
  type RegisteredModel,
  shareFairly,
  TensorExplainer,
} from '@whylight/host';
import type { Log } from '../telemetry/log.ts';
import { createMetrics, metered } from '../telemetry/metrics.ts';
import { version } from '../version.ts';
import { listen, type Worker } from '../worker.ts';
import { createLoneApp } from './app.ts';
import { mostRequests } from './limits.ts';
import { OpenRequests } from './open-requests.ts';
import type { LoneOptions } from './options.ts';
import { ServedModel } from './served-model.ts';

const megabyte = 2 ** 20;

/**
 * Starts a worker without gateway, queue or object store. HTTP answers when this resolves; the model loads behind it.
 * Its `started` rejects if the model cannot be served: then the process must end.
 */
export async function startLoneWorker(
  { model: path, name, env }: LoneOptions,
  log: Log,
  createRuntime: typeof createThreadedRuntime = createThreadedRuntime,
): Promise<Worker> {
  const metrics = createMetrics();
  const requests = new OpenRequests(mostRequests, env.JOB_SECONDS);
  const deviceLost = Promise.withResolvers<void>();
  const closing: (() => Promise<unknown>)[] = [];
  let served: ServedModel | undefined;

  const prepare = async () => {
    const model = await modelAt(path, name);
    const runtime = await createRuntime({
      ...{ ep: env.EXECUTION_PROVIDER, fallback: env.PROVIDER_FALLBACK, deviceId: env.DEVICE_ID },
      ...{ threads: env.THREADS || undefined, memory: env.MEMORY },
    });
    closing.push(() => runtime.close());
    const renderPool = createRenderPool(env.DRAWING_THREADS);
    closing.push(() => renderPool.close());
    const registry = ModelRegistry.of([model]);
    const shared = shareFairly(metered(runtime, metrics));
    const explainers = new ExplainerCache(shared, {
      capacity: env.EXPLAINERS,
      budget: env.EXPLAINERS_MB * megabyte,
      batch: {
        most: env.BATCH,
        delay: env.BATCH_DELAY_MS,
        onBatch: (size) => metrics.batchSize.observe(size),
      },
    });
    const classifier = new PhotoClassifier(shared, registry);
    closing.push(() => Promise.all([explainers.close(), classifier.close()]));
    const photos = new PhotoExplainer(shared, registry, {
      ...{ explainers, renderPool, pixels: env.MEGAPIXELS * 1e6 },
    });
    const tensors = new TensorExplainer(registry, explainers);
    served = await ServedModel.load(model, { photos, tensors, classifier, metrics });
    const { warnings } = await preparedFor(model);
    log('worker_ready', { model: model.name, device: runtime.device, warnings });
  };

  const app = createLoneApp({
    ...{ key: env.WORKER_API_KEY, metrics, log, requests, version },
    served: () => served,
    onError: (error) => {
      if (error instanceof DeviceError) deviceLost.resolve();
    },
  });
  const { server, url } = await listen(app.fetch, env);
  log('worker_listening', { url });
  if (!/^(127\.|localhost$|::1$)/.test(env.HOST) && env.WORKER_API_KEY === undefined)
    log('no_key', {
      message: 'everybody who reaches this address is answered; WORKER_API_KEY asks for a key',
    });
  const started = prepare();
  // Only those who wait for `started` need the error.
  started.catch(() => {});

  return {
    url,
    started,
    deviceLost: deviceLost.promise,
    async stop() {
      log('worker_draining');
      await requests.close(env.DRAIN_SECONDS * 1000);
      await started.catch(() => {});
      for (const close of closing.toReversed()) await close();
      await new Promise((resolve) => {
        server.close(resolve);
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
      log('worker_stopped');
    },
  };
}

/** @throws ModelNotFoundError, InputError */
async function modelAt(path: string, name: string | undefined): Promise<RegisteredModel> {
  const [model, ...others] = (await ModelRegistry.open([name === undefined ? path : { path, name }])).list();
  if (model === undefined) throw new ModelNotFoundError('the folder holds no .onnx file');
  if (others.length > 0)
    throw new InputError(
      'invalid_model',
      `the folder holds more than one model (${[model, ...others].map((one) => one.name).join(', ')}): give the path of one`,
    );
  return model;
}
