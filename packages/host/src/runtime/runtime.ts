import {
  fetchedTensor,
  type GraphFile,
  graphFileOf,
  InputError,
  OutOfMemoryError,
  type Runtime,
  type Session,
  type Tensor,
  weightsBeside,
  withoutPaths,
} from '@whylight/core';
import * as ort from 'onnxruntime-node';
import { disableTf32 } from './env.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { type ExecutionProvider, ProviderUnavailableError, whyUnavailable } from './provider.ts';
import { type SessionSettings, sessionOptions } from './session-options.ts';
import { tinyModel } from './tiny-model.ts';

export interface RuntimeOptions {
  readonly ep: ExecutionProvider;
  /** Threads that share one operator; ONNX Runtime's default is one per physical core. */
  readonly threads?: number | undefined;
  /** The most bytes that one explainer may hold while it runs. Default: 1 GB. */
  readonly memory?: number | undefined;
  /** Graphs with at least this many bytes of weights use less memory on a CPU: one such graph is loaded at a time, its weights not packed. Default: 512 MiB. */
  readonly large?: number | undefined;
  /** Which GPU, for cuda. */
  readonly deviceId?: number | undefined;
  /** Run on the CPU if `ep` cannot run here; `device` then says so. Without this option it is an error. */
  readonly fallback?: boolean | undefined;
  /** Whether `ep` is known to run here. Otherwise a separate process tries it first. */
  readonly found?: boolean | undefined;
}

const largeWeights = 512 * 2 ** 20;

/** The device failed, and this process can no longer use it. The request did not cause this. The message may be shown to anyone. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
}

/**
 * Creates a `Runtime` of core on ONNX Runtime for Node. When it returns, the provider has run a graph.
 *
 * @throws ProviderUnavailableError if `ep` cannot run on this machine and the options allow no fallback.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { ep, threads, deviceId = 0, fallback = false, found = false, large = largeWeights } = options;
  ort.env.logLevel = 'error';
  if (ep === 'cuda') disableTf32();

  const reason = ep === 'cpu' || found ? null : await whyUnavailable(ep, deviceId);
  if (reason !== null && !fallback) throw new ProviderUnavailableError(ep, reason);

  const settings: SessionSettings = { ep: reason === null ? ep : 'cpu', threads, deviceId };
  const alone = oneAtATime();
  const runtime: Runtime = {
    device: reason === null ? ep : `cpu (fallback from ${ep}: ${reason})`,
    memory: options.memory,
    load(model) {
      const file = graphFileOf(model);
      if (settings.ep !== 'cpu' || weightsBeside(file) < large) return load(file, settings);
      return alone(() => load(file, { ...settings, sparing: true }));
    },
  };
  const session = await runtime.load(tinyModel).catch((error: Error) => {
    throw new ProviderUnavailableError(settings.ep, error.message);
  });
  await session.close();
  return runtime;
}

async function load({ bytes, weights }: GraphFile, settings: SessionSettings): Promise<Session> {
  const externalData = Array.from(weights, ([path, data]) => ({ path, data }));
  const session = await ort.InferenceSession.create(bytes, {
    ...sessionOptions(settings),
    externalData,
  }).catch((error: Error) => {
    throw refusal('ONNX Runtime refuses the graph', error);
  });
  return {
    async run(feeds) {
      try {
        const given = Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor)]);
        const fetched = await session.run(Object.fromEntries(given));
        return Object.fromEntries(
          Object.entries(fetched).map(([name, value]) => [name, fetchedTensor(name, value)]),
        );
      } catch (error) {
        throw error instanceof InputError
          ? error
          : refusal('ONNX Runtime cannot run the graph', error as Error);
      }
    },
    close: () => session.release(),
  };
}

function refusal(what: string, error: Error): Error {
  const message = `${what}: ${withoutPaths(error.message)}`;
  if (/out of memory|failed to allocate memory|bad_alloc/i.test(error.message))
    return new OutOfMemoryError(message);
  if (/CUDA (failure|error)|CUDNN|CUBLAS|device.*lost/i.test(error.message)) return new DeviceError(message);
  return new InputError('invalid_model', message);
}

/**
 * Shares memory with `tensor`. float16 is given as its bits: the binding of ONNX Runtime 1.30 measures the
 * Float16Array that its own Tensor class makes of them as empty (microsoft/onnxruntime#32323).
 */
function toOrt({ dtype, data, shape }: Tensor): ort.Tensor {
  const given = new ort.Tensor(dtype, data as never, shape);
  return dtype === 'float16' ? Object.defineProperty(given, 'data', { value: data }) : given;
}
