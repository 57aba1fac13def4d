import { type Backend, type BackendOptions, chooseBackend, surroundings } from './backend.ts';
import { breathing } from './breathe.ts';
import { type OrtModule, runtimeOf, type WebRuntime } from './runtime.ts';

/** Methods evaluate as many samples at once as fit into this memory; a cancelled call continues until they are done. */
const usualMemory = 256 * 2 ** 20;

/** Loads ONNX Runtime for the browser's capabilities. @throws Error if WebGPU is requested and missing */
export async function startRuntime(
  options: BackendOptions,
): Promise<{ readonly runtime: WebRuntime; readonly backend: Backend }> {
  const backend = chooseBackend(options, await surroundings());
  // Each build is loaded only if it is used: the build for WebGPU has twice the bytes.
  const ort: OrtModule =
    backend.name === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = backend.threads;
  if (options.wasmPaths !== undefined) ort.env.wasm.wasmPaths = options.wasmPaths;
  const runtime = runtimeOf(ort, backend, options.memory ?? usualMemory, breathing());
  return { runtime, backend };
}
