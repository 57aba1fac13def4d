import { Worker } from 'node:worker_threads';
import type { GraphFile, Runtime, Session, Tensor } from '@whylight/core';
import { endThread } from '../thread-end.ts';
import { disableTf32 } from './env.ts';
import { errorOf, type Failure } from './failure.ts';
import { DeviceError, type RuntimeOptions } from './runtime.ts';
import { withSharedWeights } from './shared-weights.ts';

type Tensors = Readonly<Record<string, Tensor>>;

export type Request =
  | { readonly op: 'start' }
  | { readonly op: 'load'; readonly session: number; readonly model: GraphFile }
  | { readonly op: 'run'; readonly session: number; readonly feeds: Tensors }
  | { readonly op: 'close'; readonly session: number };

export interface Answer {
  readonly id: number;
  readonly value: string | Tensors | null;
  readonly failure?: Failure;
}

/**
 * `createRuntime` in a thread of its own. The Node binding of ONNX Runtime computes on the thread that calls it, for
 * seconds when a model is large: a server that does anything else meanwhile, such as saying that it is alive, needs
 * this. Tensors are copied between the threads; large weights are shared.
 *
 * @throws ProviderUnavailableError as `createRuntime` does. Its sessions throw DeviceError when the thread dies.
 */
export async function createThreadedRuntime(
  options: RuntimeOptions,
): Promise<Runtime & { close(): Promise<void> }> {
  // A thread has an environment of its own, which the CUDA libraries do not see.
  if (options.ep === 'cuda') disableTf32();
  const thread = new Worker(new URL('./runtime-thread.ts', import.meta.url), { workerData: options });
  const waiting = new Map<
    number,
    { resolve: (value: Answer['value']) => void; reject: (error: Error) => void }
  >();
  let died: DeviceError | undefined;
  let calls = 0;
  let sessions = 0;

  thread.on('message', ({ id, value, failure }: Answer) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (failure) call?.reject(errorOf(failure));
    else call?.resolve(value);
  });
  const end = () => {
    died = new DeviceError('the runtime has stopped');
    for (const { reject } of waiting.values()) reject(died);
    waiting.clear();
  };
  thread.on('error', end);
  thread.on('exit', end);

  const call = (request: Request): Promise<Answer['value']> =>
    new Promise((resolve, reject) => {
      if (died) return reject(died);
      waiting.set(++calls, { resolve, reject });
      thread.postMessage({ id: calls, ...request });
    });

  const close = () => endThread(thread);
  const device = await call({ op: 'start' }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    device: device as string,
    memory: options.memory,
    close,
    async load(model): Promise<Session> {
      const session = ++sessions;
      await call({ op: 'load', session, model: withSharedWeights(model) });
      return {
        run: async (feeds) => (await call({ op: 'run', session, feeds: compact(feeds) })) as Tensors,
        close: async () => {
          if (!died) await call({ op: 'close', session });
        },
      };
    },
  };
}

/** A view is sent with all the memory behind it: what shows a part is copied first. */
const compact = (feeds: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => [
      name,
      tensor.data.buffer.byteLength > tensor.data.byteLength
        ? { ...tensor, data: tensor.data.slice() }
        : tensor,
    ]),
  ) as Tensors;
