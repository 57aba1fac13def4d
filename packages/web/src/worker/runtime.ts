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
import { heard, placedOnProcessor } from './placement.ts';

/** The used part of onnxruntime-web, the same in its builds for WebGPU and for WebAssembly alone. */
export type OrtModule = Pick<typeof Ort, 'InferenceSession' | 'Tensor' | 'env'>;

export interface WebRuntime extends Runtime {
  readonly device: Backend['name'];
  /** Types of operators that WebGPU lacks and WebAssembly computes, in all graphs that were loaded. */
  readonly fallenBack: ReadonlySet<string>;
}

/** Makes core's `Runtime` from onnxruntime-web. */
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
 * As on Node, quantized networks run as their files say, and a Pad is not fused into the operator after it: ONNX
 * Runtime 1.30 treats the zeros around a MaxPool as minus infinity (decisions 34 and 37).
 */
const options: Ort.InferenceSession.SessionOptions = {
  logSeverityLevel: 3,
  enableMemPattern: false,
  extra: {
    session: { disable_quant_qdq: '1' },
    optimization: { disable_specified_optimizers: 'Pad_Fusion' },
  },
};

/** Creates a session; a graph that WebGPU refuses as a whole runs on WebAssembly. */
async function create(
  { InferenceSession }: OrtModule,
  { bytes, weights }: GraphFile,
  provider: Backend['name'],
  fallenBack: Set<string>,
): Promise<Ort.InferenceSession> {
  const externalData = Array.from(weights, ([path, data]) => ({ path, data }));
  const on = (name: Backend['name'], more: Ort.InferenceSession.SessionOptions = {}) =>
    InferenceSession.create(bytes, { ...options, ...more, executionProviders: [name], externalData });
  try {
    if (provider === 'wasm') return await on('wasm');
    // At this level ONNX Runtime logs the provider on which it has placed each operator.
    const { value, lines } = await heard(() => on('webgpu', { logSeverityLevel: 0 }).catch(() => null));
    if (value) {
      for (const operator of placedOnProcessor(lines)) fallenBack.add(operator);
      return value;
    }
    fallenBack.add('every operator of a graph that WebGPU refuses');
    return await on('wasm');
  } catch (error) {
    throw refusal('ONNX Runtime refuses the graph', error);
  }
}

/** Run options without log lines, also for a session that was loaded with the full log. */
const quiet = { logSeverityLevel: 3 } as const;

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
        const fetched = await session.run(Object.fromEntries(given), quiet);
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
