import type { GraphFile } from '../graph-file.ts';
import type { Tensor } from '../tensor.ts';

/** A loaded graph. Everything above this line of the stack is runtime-agnostic. */
export interface Session {
  /** @throws OutOfMemoryError if the device has not enough memory: fewer rows may fit. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
  close(): Promise<void>;
}

/** The runtime that loads graphs: ONNX Runtime, given by the app that owns the process. */
export interface Runtime {
  /** The execution provider in use, for reports: `cpu`, `cuda`, `webgpu`, `wasm`. */
  readonly device: string;
  /** Memory that one explainer may hold on the device while it runs, in bytes; default: 1 GB. */
  readonly memory?: number | undefined;
  load(model: Uint8Array | GraphFile): Promise<Session>;
}
