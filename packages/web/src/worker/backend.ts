/** What the caller wants to compute with. */
export interface BackendOptions {
  /** `auto`, if not said: WebGPU on a real GPU, else WebAssembly. */
  readonly backend?: 'auto' | 'webgpu' | 'wasm' | undefined;
  /** Of WebAssembly: one for each core, up to 4, if not said. A page that is not cross-origin isolated has one. */
  readonly threads?: number | undefined;
  /** What one explainer may hold while it runs, in bytes: 256 MiB if not said. */
  readonly memory?: number | undefined;
  /** The folder that has the `.wasm` and `.mjs` files of onnxruntime-web, where the bundler does not bring them. */
  readonly wasmPaths?: string | undefined;
}

/** What computes, and why nothing faster does. */
export interface Backend {
  readonly name: 'webgpu' | 'wasm';
  /** Of WebAssembly. */
  readonly threads: number;
  /** The GPU's vendor and architecture, as far as the browser tells. */
  readonly gpu: string | null;
  /** Why not WebGPU, why not more threads. */
  readonly reasons: readonly string[];
}

/** What the browser offers. */
export interface Surroundings {
  readonly adapter: { readonly name: string; readonly isSoftware: boolean } | null;
  readonly isIsolated: boolean;
  readonly cores: number;
}

const mostThreads = 4;

/** @throws Error where WebGPU is asked for and there is none */
export function chooseBackend(
  { backend = 'auto', threads }: BackendOptions,
  { adapter, isIsolated, cores }: Surroundings,
): Backend {
  const wanted = threads ?? Math.min(cores, mostThreads);
  const few = isIsolated || wanted < 2 ? [] : ['one thread: the page is not cross-origin isolated'];
  const count = isIsolated ? Math.max(wanted, 1) : 1;
  if (backend === 'webgpu' && !adapter)
    throw new Error('WebGPU is asked for, but the browser has no adapter; ask for "auto" or "wasm"');
  if (adapter && (backend === 'webgpu' || (backend === 'auto' && !adapter.isSoftware)))
    return { name: 'webgpu', threads: count, gpu: adapter.name, reasons: few };
  const slow =
    backend === 'wasm'
      ? 'WebAssembly is asked for'
      : adapter
        ? `the WebGPU adapter is software (${adapter.name}), which is slower than WebAssembly`
        : 'the browser has no WebGPU adapter';
  return { name: 'wasm', threads: count, gpu: null, reasons: [slow, ...few] };
}

/** As much of WebGPU as is looked at: the types of TypeScript do not have it everywhere. */
interface Gpu {
  requestAdapter(): Promise<{
    readonly info: {
      readonly vendor: string;
      readonly architecture: string;
      readonly isFallbackAdapter?: boolean;
    };
  } | null>;
}

export async function surroundings(): Promise<Surroundings> {
  const { gpu } = navigator as { gpu?: Gpu };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return {
    adapter: adapter
      ? {
          name: [adapter.info.vendor, adapter.info.architecture].filter(Boolean).join(' ') || 'unnamed',
          isSoftware:
            adapter.info.isFallbackAdapter === true ||
            /swiftshader|llvmpipe/i.test(adapter.info.architecture),
        }
      : null,
    isIsolated: globalThis.crossOriginIsolated === true,
    cores: navigator.hardwareConcurrency || 1,
  };
}
