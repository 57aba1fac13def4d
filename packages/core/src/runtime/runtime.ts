import type { GraphFile } from '../graph-file.ts';
import type { Tensor } from '../tensor.ts';

/** A loaded graph. Everything above this line of the stack is runtime-agnostic. */
export interface Session {
  /** @throws OutOfMemoryError where the device has no room for it: fewer rows may fit. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
  close(): Promise<void>;
}

/** What loads graphs: ONNX Runtime, given by the app that owns the process. */
export interface Runtime {
  /** The execution provider in use, for reports: `cpu`, `cuda`, `webgpu`, `wasm`. */
  readonly device: string;
  /** What one explainer may hold on it while it runs, in bytes; 1 GB if not said. */
  readonly memory?: number | undefined;
  load(model: Uint8Array | GraphFile): Promise<Session>;
}
