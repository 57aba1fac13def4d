import { createRenderPool, createThreadedRuntime, type RenderPool } from '@whylight/host';
import type { WorkerThreads } from '../worker.ts';

let runtime: ReturnType<typeof createThreadedRuntime> | undefined;
const pools = new Map<number, RenderPool & AsyncDisposable>();
const close = async (): Promise<void> => {};

/**
 * The threads of all workers of a test's process: a thread needs a second to load its program, which most tests do not. They end with
 * the process.
 */
export const sharedThreads: WorkerThreads = {
  async createRuntime(options) {
    if (options.ep !== 'cpu') return createThreadedRuntime(options);
    runtime ??= createThreadedRuntime({ ep: 'cpu' });
    return { ...(await runtime), memory: options.memory, close, [Symbol.asyncDispose]: close };
  },
  createRenderPool(count, options) {
    const pool = pools.get(count) ?? createRenderPool(count, options);
    pools.set(count, pool);
    return { ...pool, close, [Symbol.asyncDispose]: close };
  },
};
