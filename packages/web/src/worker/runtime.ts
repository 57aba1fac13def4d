import {
  fetchedTensor,
  type GraphFile,
  graphFileOf,
  InputError,
  OutOfMemoryError,
  type Runtime,
  type Session,
  withoutPaths,
} from '@whylight/core';
import type * as Ort from 'onnxruntime-web';
import type { Backend } from './backend.ts';

/** What of onnxruntime-web is used; its builds for WebGPU and for WebAssembly alone have the same. */
export type OrtModule = Pick<typeof Ort, 'InferenceSession' | 'Tensor' | 'env'>;

export interface WebRuntime extends Runtime {
  /** Operators that a session's provider has not, by type; they ran on WebAssembly. */
  readonly fallenBack: ReadonlySet<string>;
}

/** onnxruntime-web behind core's `Runtime`. */
export function runtimeOf(
  ort: OrtModule,
  { name }: Pick<Backend, 'name'>,
  memory: number,
  breathe: () => Promise<void>,
): WebRuntime {
  const fallenBack = new Set<string>();
  return {
    device: name,
    memory,
    fallenBack,
    async load(model) {
      const session = await create(ort, graphFileOf(model), name, fallenBack);
      return sessionOf(ort, session, breathe);
    },
  };
}

/**
 * As on Node, quantized networks run as their files say, and a Pad is not fused into the operator after it: ONNX Runtime
 * 1.30 takes the zeros around a MaxPool for minus infinity (decisions 34 and 37).
 */
const options: Ort.InferenceSession.SessionOptions = {
  logSeverityLevel: 3,
  enableMemPattern: false,
  extra: {
    session: { disable_quant_qdq: '1' },
    optimization: { disable_specified_optimizers: 'Pad_Fusion' },
  },
};

async function create(
  { InferenceSession }: OrtModule,
  { bytes, weights }: GraphFile,
  provider: string,
  _fallenBack: Set<string>,
): Promise<Ort.InferenceSession> {
  try {
    return await InferenceSession.create(bytes, {
      ...options,
      executionProviders: [provider],
      externalData: Array.from(weights, ([path, data]) => ({ path, data })),
    });
  } catch (error) {
    throw refusal('ONNX Runtime refuses the graph', error);
  }
}

function sessionOf(
  { Tensor }: OrtModule,
  session: Ort.InferenceSession,
  breathe: () => Promise<void>,
): Session {
  return {
    async run(feeds) {
      await breathe();
      try {
        const given = Object.entries(feeds).map(([name, { dtype, data, shape }]) => [
          name,
          new Tensor(dtype, data as never, shape),
        ]);
        const fetched = await session.run(Object.fromEntries(given));
        return Object.fromEntries(
          Object.entries(fetched).map(([name, value]) => [name, fetchedTensor(name, value)]),
        );
      } catch (error) {
        throw error instanceof InputError ? error : refusal('ONNX Runtime cannot run the graph', error);
      }
    },
    close: () => session.release(),
  };
}

function refusal(what: string, error: unknown): Error {
  const said = error instanceof Error ? error.message : String(error);
  const message = `${what}: ${withoutPaths(said)}`;
  if (/out of memory|failed to allocate|allocation failed|bad_alloc|\bOOM\b/i.test(said))
    return new OutOfMemoryError(message);
  return new InputError('invalid_model', message);
}
