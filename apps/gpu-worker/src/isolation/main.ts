/** The process that holds one tenant's model. `model-process.ts` starts it and sends it requests. */
import { InputError, type LoopState, type Runtime } from '@whylight/core';
import { resolveQuestion } from '@whylight/core/methods';
import {
  answerRequests,
  createRuntime,
  type Exchange,
  encodePng,
  failureOf,
  heldModel,
  ModelRegistry,
  PhotoClassifier,
  PhotoExplainer,
  type RegisteredModel,
} from '@whylight/host';
import { examine } from './examine.ts';
import type { Ask, Explain, Found, Load, Notice, Value } from './messages.ts';

/** Compiled explainers of the model that are kept. */
const explainers = 8;
/** Milliseconds between two states that are sent: a state may be large. */
const statePause = 1000;

let runtime: Runtime;
let model: RegisteredModel;
let explainer: PhotoExplainer;
let classifier: PhotoClassifier;
let runs = 0;

async function load({ name, sha256, manifest, device, ...options }: Load): Promise<null> {
  const bytes = await stdin();
  const { labels, cam_tensor, preprocessing, fixed_inputs, scores, task } = manifest;
  model = await heldModel(name, bytes, {
    sha256,
    ...(labels ? { labels } : {}),
    ...(cam_tensor === null ? {} : { cam_tensor }),
    ...(fixed_inputs === null ? {} : { fixed_inputs }),
    ...(scores === null ? {} : { scores }),
    ...(task ? { task } : {}),
    ...(preprocessing === null
      ? {}
      : typeof preprocessing === 'string'
        ? { preset: preprocessing }
        : { preprocessing }),
  });
  runtime = counting(await createRuntime({ ...options, found: true }), device);
  const registry = ModelRegistry.of([model]);
  explainer = new PhotoExplainer(runtime, registry, { capacity: explainers });
  classifier = new PhotoClassifier(runtime, registry);
  return null;
}

async function answer(ask: Ask, { signal, notify }: Exchange<Notice>): Promise<Value> {
  switch (ask.op) {
    case 'load':
      return load(ask);
    case 'examine': {
      const report = (found: Found) => notify({ found });
      return examine(model, runtime, {
        budget: ask.budget,
        onStart: (started) => report({ started }),
        onMethod: (running) => report({ running }),
        onVerdict: (verdict) => report({ verdict }),
      });
    }
    case 'explain':
      return explain(ask, { signal, notify });
    case 'classify':
      return classifier.classify(ask.photo, model.digest, ask.count);
    case 'warm':
      return warm();
  }
}

/** Sends the state now and then, as the worker may kill this process; when it is told to stop, it sends the last state. */
async function explain({ request, state }: Explain, { signal, notify }: Exchange<Notice>) {
  let [unsent, next]: [LoopState | null, number] = [null, performance.now() + statePause];
  const send = () => {
    if (unsent) notify({ state: unsent });
    [unsent, next] = [null, performance.now() + statePause];
  };
  const watch = {
    ...{ signal, state },
    onProgress: (completed: number, total: number) => notify({ progress: [completed, total] }),
    onState(made: LoopState) {
      unsent = made;
      if (performance.now() >= next) send();
    },
  };
  return explainer.explain({ ...request, model: model.digest }, watch).catch((error: unknown) => {
    send();
    throw error;
  });
}

/** Compiles the most requested explainer by using it. If it does not work on this model, nothing is made ready. */
async function warm(): Promise<null> {
  const photo = await encodePng({ width: 8, height: 8, channels: 3, data: new Uint8Array(192).fill(128) });
  const request = { photo, model: model.digest, question: resolveQuestion({ method: 'grad-cam' }) };
  await explainer.explain(request).catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error;
  });
  return null;
}

const counting = (inner: Runtime, device: string): Runtime => ({
  device,
  async load(graph) {
    const session = await inner.load(graph);
    return {
      run(feeds) {
        runs++;
        return session.run(feeds);
      },
      close: () => session.close(),
    };
  },
});

async function stdin(): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The worker reads the usage before the answer, of failures too. */
const answerWithUsage = (ask: Ask, exchange: Exchange<Notice>): Promise<Value> =>
  answer(ask, exchange).finally(() => exchange.notify({ usage: { runs, rss: process.memoryUsage.rss() } }));

process.on(
  'message',
  answerRequests((message) => void process.send!(message), answerWithUsage, failureOf),
);
process.on('disconnect', () => process.exit());
