import { type ServerType, serve } from '@hono/node-server';
import type { Catalog, Order } from '@whylight/contract';
import { resolveStore } from '@whylight/contract/store';
import { InputError, type Runtime } from '@whylight/core';
import {
  createRenderPool,
  createThreadedRuntime,
  DeviceError,
  embeddedModels,
  ModelNotFoundError,
  ModelRegistry,
  PhotoClassifier,
  PhotoExplainer,
  ProviderUnavailableError,
  type RenderPool,
  shareFairly,
} from '@whylight/host';
import { createApp } from './app.ts';
import { createCatalog } from './catalog.ts';
import { checkCatalog } from './catalog-check.ts';
import type { WorkerEnv } from './env.ts';
import { ProcessTurns } from './isolation/process-turns.ts';
import { TenantModels } from './isolation/tenant-models.ts';
import type { JobContext } from './jobs/answer-question.ts';
import { claim } from './jobs/claim.ts';
import { startHeartbeat } from './jobs/heartbeat.ts';
import { JobQueue } from './jobs/job-queue.ts';
import { Presence } from './jobs/presence.ts';
import { Renderer } from './jobs/renderer.ts';
import { runJob } from './jobs/run-job.ts';
import { warmModel } from './jobs/warm-model.ts';
import type { State } from './state.ts';
import { fetchModels, ModelFetchError } from './storage/model-cache.ts';
import { s3Storage } from './storage/s3.ts';
import { createS3Client, type S3Settings } from './storage/s3-client.ts';
import type { ProbedStorage } from './storage/storage.ts';
import { waitForStore } from './storage/wait-for-store.ts';
import type { Log } from './telemetry/log.ts';
import { createMetrics, metered } from './telemetry/metrics.ts';
import { version } from './version.ts';

export interface Worker {
  /** URL at which the worker listens. */
  readonly url: string;
  /** Resolves when the worker takes jobs, or has failed to get so far; `/health` tells which. */
  readonly started: Promise<void>;
  /** Resolves when the device is lost and the jobs are handed back: the process must end. */
  readonly deviceLost: Promise<void>;
  /** Takes no more jobs, finishes those that it has (within DRAIN_SECONDS) and lets go of everything. */
  stop(): Promise<void>;
}

/** What starts the threads that compute and those that draw. */
export interface WorkerThreads {
  readonly createRuntime: typeof createThreadedRuntime;
  readonly createRenderPool: typeof createRenderPool;
}
const ownThreads: WorkerThreads = { createRuntime: createThreadedRuntime, createRenderPool };

const megabyte = 2 ** 20;

/** Starts a worker: HTTP answers when this resolves, models load behind it. */
export async function startWorker(
  env: WorkerEnv,
  unnamedLog: Log,
  storage: ProbedStorage = storageOf(env),
  threads = ownThreads,
): Promise<Worker> {
  const log: Log = (event, fields) => unnamedLog(event, { worker: env.WORKER_ID, ...fields });
  const metrics = createMetrics();
  const turns = new ProcessTurns();
  const pool = threads.createRenderPool(env.DRAWING_THREADS, { shared: true });
  const renderPool: RenderPool = {
    render: (scene, owner = '') => turns.during(owner, null, () => pool.render(scene, owner)),
    close: pool.close,
  };
  let state: State = { phase: 'starting' };
  const change = (next: State) => {
    state = next;
    presence.announce();
  };
  const execute = (order: Order) => {
    if (!('queue' in state)) return;
    if (order.order === 'warm') return void warmModel(state.tenantModels, order, log);
    log('job_dropped', { key: order.key, attempt: order.attempt });
    state.queue.drop(order.key, order.attempt);
  };
  const presence = new Presence({
    worker: env.WORKER_ID,
    release: version,
    secret: env.WORKER_SECRET,
    log,
    state: () => state,
    onOrder: execute,
  });
  let explainer: PhotoExplainer | undefined;
  let classifier: PhotoClassifier | undefined;
  let tenantModels: TenantModels | undefined;
  let runtime: Awaited<ReturnType<typeof createThreadedRuntime>> | undefined;
  let stopHeartbeat = () => {};
  const stopped = new AbortController();
  const unprepared = new AbortController();
  const deviceLost = Promise.withResolvers<void>();
  const fail = (error: unknown) => {
    const reason = reasonOf(error);
    change({ phase: 'failed', reason });
    log('worker_failed', { reason, cause: (error as Error).stack });
  };
  /** Nothing can be computed any more: all jobs are handed back, and the process is of no use. */
  const lost = (error: unknown) => {
    const { queue } = state as { queue?: JobQueue };
    fail(error);
    void queue?.drain(0).then(deviceLost.resolve);
  };

  /** Resolves when jobs can read and write. Until then the worker is starting, and says what the store lacks. */
  const storeUsable = () =>
    waitForStore(storage, {
      log,
      signal: AbortSignal.any([stopped.signal, unprepared.signal]),
      onProblem: (reason) => {
        if (state.phase === 'starting' && state.reason !== reason) change({ phase: 'starting', reason });
      },
    });

  const prepare = async () => {
    const usable = storeUsable();
    // Whoever awaits it below gets the error.
    usable.catch(() => {});
    runtime = await threads.createRuntime({
      ep: env.EXECUTION_PROVIDER,
      fallback: env.PROVIDER_FALLBACK,
      deviceId: env.DEVICE_ID,
      threads: env.THREADS || undefined,
      memory: env.MEMORY,
    });
    if (runtime.device !== env.EXECUTION_PROVIDER) log('provider_fallback', { device: runtime.device });
    const models = await ownModels(env, usable);
    const registry = await ModelRegistry.open(models.length ? models : embeddedModels);
    const catalog = await createCatalog(registry, runtime.device);
    const shared = shareFairly(metered(runtime, metrics));
    explainer = new PhotoExplainer(shared, registry, {
      capacity: env.EXPLAINERS,
      budget: env.EXPLAINERS_MB * megabyte,
      pixels: env.MEGAPIXELS * 1e6,
      batch: {
        most: env.BATCH,
        delay: env.BATCH_DELAY_MS,
        onBatch: (size) => metrics.batchSize.observe(size),
      },
      renderPool,
    });
    classifier = new PhotoClassifier(shared, registry);
    tenantModels = new TenantModels({
      storage,
      log,
      turns,
      process: {
        device: runtime.device,
        ep: runtime.device === env.EXECUTION_PROVIDER ? env.EXECUTION_PROVIDER : 'cpu',
        deviceId: env.DEVICE_ID,
        threads: env.THREADS || undefined,
        // The CUDA driver maps more than it uses: there the container's limit must suffice.
        megabytes: runtime.device === 'cpu' ? env.MODEL_PROCESS_MB : Infinity,
        onRuns: (count) => metrics.graphRuns.inc(count),
      },
      capacity: env.MODEL_PROCESSES,
      budget: env.MODEL_PROCESSES_MB * megabyte,
      idle: env.MODEL_IDLE_SECONDS * 1000,
      patience: env.VALIDATION_SECONDS * 1000,
      onLoad: () => metrics.modelLoads.inc(),
    });
    await usable;
    const explainHere: PhotoExplainer['explain'] = (request, watch) =>
      turns.during(watch?.owner ?? '', null, () => explainer!.explain(request, watch));
    const context: JobContext = {
      explainer: { explain: explainHere },
      classifier,
      device: runtime.device,
      registry,
      tenantModels,
      storage,
      metrics,
      log,
      secret: env.WORKER_SECRET,
      seconds: env.JOB_SECONDS,
      onError: (error: unknown) => {
        if (error instanceof DeviceError) lost(error);
      },
    };
    const queue = new JobQueue({
      concurrency: env.CONCURRENCY,
      limit: env.QUEUE_LIMIT,
      claim: (job, signal) =>
        claim(job, signal, { secret: env.WORKER_SECRET, worker: env.WORKER_ID, log, metrics }),
      run: (job, signal, waited) => runJob(job, context, signal, waited),
    });
    stopHeartbeat = startHeartbeat(queue, env.WORKER_SECRET, log);
    change({ phase: 'ready', registry, catalog, queue, tenantModels });
    if (env.CHECK_SECONDS > 0) void checkOwnModels(registry, runtime, catalog, queue);
    log('worker_ready', {
      device: runtime.device,
      models: registry.list().map(({ name }) => name),
    });
  };

  const checkOwnModels = (
    registry: ModelRegistry,
    runtime: Runtime,
    catalog: Catalog,
    queue: JobQueue,
  ): Promise<void> =>
    checkCatalog(catalog, {
      ...{ registry, runtime, log, budget: env.CHECK_SECONDS, signal: stopped.signal },
      idle: () => queue.untilIdle(stopped.signal),
      onChange: (known) => {
        if ('catalog' in state) change({ ...state, catalog: known });
      },
    }).catch((error: unknown) => {
      if (stopped.signal.aborted) return;
      if (error instanceof DeviceError) lost(error);
      else log('models_unchecked', { cause: error instanceof Error ? error.stack : String(error) });
    });

  const app = createApp({
    worker: env.WORKER_ID,
    secrets: env.WORKER_SECRET_PREVIOUS
      ? [env.WORKER_SECRET, env.WORKER_SECRET_PREVIOUS]
      : [env.WORKER_SECRET],
    presence,
    metrics,
    log,
    state: () => state,
    renderer: new Renderer(storage, renderPool),
  });
  const { server, url } = await listen(app.fetch, env);
  log('worker_listening', { url });
  if (env.GATEWAY_URL !== undefined) presence.learn(env.GATEWAY_URL);
  const started = prepare().catch((error: unknown) => {
    unprepared.abort();
    if (!stopped.signal.aborted) fail(error);
  });

  return {
    url,
    started,
    deviceLost: deviceLost.promise,
    async stop() {
      stopped.abort();
      await started;
      if (state.phase === 'ready') {
        const { queue } = state;
        change({ ...state, phase: 'draining' });
        log('worker_draining', { running: queue.running, waiting: queue.waiting });
        await queue.drain(env.DRAIN_SECONDS * 1000);
      }
      stopHeartbeat();
      await presence.stop();
      await tenantModels?.close();
      await explainer?.close();
      await classifier?.close();
      await renderPool.close();
      await runtime?.close();
      storage.close();
      await new Promise((resolve) => {
        server.close(resolve);
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
      log('worker_stopped');
    },
  };
}

/** Errors that were written for users say what is wrong; of others the log has the rest. */
const reasonOf = (error: unknown): string =>
  [ProviderUnavailableError, InputError, ModelNotFoundError, ModelFetchError, DeviceError].some(
    (kind) => error instanceof kind,
  )
    ? (error as Error).message
    : 'unexpected error at start, see the log';

/** The store, as the settings name it. */
function storeOf(env: WorkerEnv): S3Settings {
  const style = env.S3_STYLE ?? (env.S3_FORCE_PATH_STYLE ? 'path' : undefined);
  return {
    ...resolveStore({ ...env, S3_STYLE: style }),
    accessKeyId: env.S3_ACCESS_KEY_ID,
    secretAccessKey: env.S3_SECRET_ACCESS_KEY,
  };
}
const storageOf = (env: WorkerEnv): ProbedStorage => s3Storage(storeOf(env));

/** The operator's models, those of the bucket fetched. @throws InputError */
async function ownModels(env: WorkerEnv, storeUsable: Promise<void>): ReturnType<typeof fetchModels> {
  const client = createS3Client(storeOf(env));
  try {
    return await fetchModels(env.MODELS, {
      ...{ client, bucket: env.S3_BUCKET, folder: env.MODEL_CACHE, limit: env.MODEL_CACHE_MB * megabyte },
      storeUsable,
    });
  } finally {
    client.destroy();
  }
}

export function listen(
  fetch: Parameters<typeof serve>[0]['fetch'],
  { HOST, PORT }: Pick<WorkerEnv, 'HOST' | 'PORT'>,
): Promise<{ server: ServerType; url: string }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: HOST, port: PORT }, ({ port }) => {
      resolve({ server, url: `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${port}` });
    });
    server.once('error', reject);
  });
}
