import { type Backend, type BackendOptions, chooseBackend, surroundings } from './backend.ts';
import { breathing } from './breathe.ts';
import { type OrtModule, runtimeOf, type WebRuntime } from './runtime.ts';

/** Methods with samples take as many at once as fit into it; so long does a call that is given up go on. */
const usualMemory = 256 * 2 ** 20;

/** Loads ONNX Runtime for what the browser offers. @throws Error where WebGPU is asked for and there is none */
export async function startRuntime(
  options: BackendOptions,
): Promise<{ readonly runtime: WebRuntime; readonly backend: Backend }> {
  const backend = chooseBackend(options, await surroundings());
  // Each is loaded only where it is used: that for WebGPU has twice the bytes.
  const ort: OrtModule =
    backend.name === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = backend.threads;
  if (options.wasmPaths !== undefined) ort.env.wasm.wasmPaths = options.wasmPaths;
  const runtime = runtimeOf(ort, backend, options.memory ?? usualMemory, breathing());
  return { runtime, backend };
}
