/** The caller's wishes for the backend. */
export interface BackendOptions {
  /** Default: `auto`, which is WebGPU on a real GPU, else WebAssembly. */
  readonly backend?: 'auto' | 'webgpu' | 'wasm' | undefined;
  /** Threads of WebAssembly; default: one for each core, up to 4. A page that is not cross-origin isolated has one. */
  readonly threads?: number | undefined;
  /** Memory that one explainer may hold while it runs, in bytes; default: 256 MiB. */
  readonly memory?: number | undefined;
  /** The folder that has the `.wasm` and `.mjs` files of onnxruntime-web, if the bundler does not include them. */
  readonly wasmPaths?: string | undefined;
}

/** The backend that computes, and the reasons why no faster backend does. */
export interface Backend {
  readonly name: 'webgpu' | 'wasm';
  /** Threads of WebAssembly. */
  readonly threads: number;
  /** The GPU's vendor and architecture, as far as the browser tells. */
  readonly gpu: string | null;
  /** The reasons against WebGPU and against more threads. */
  readonly reasons: readonly string[];
}

/** The capabilities of the browser. */
export interface Surroundings {
  readonly adapter: { readonly name: string; readonly isSoftware: boolean } | null;
  readonly isIsolated: boolean;
  readonly cores: number;
}

const mostThreads = 4;

/** @throws Error if WebGPU is requested and missing */
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

/** The part of WebGPU that is used here: the types of TypeScript do not have it everywhere. */
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
