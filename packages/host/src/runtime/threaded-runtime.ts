import { Worker } from 'node:worker_threads';
import { type GraphFile, RequestChannel, type Runtime, type Session, type Tensor } from '@whylight/core';
import { ownFile } from '../own-file.ts';
import { endThread, keepingAlive } from '../thread-end.ts';
import { disableTf32 } from './env.ts';
import { errorOf } from './failure.ts';
import { DeviceError, type RuntimeOptions } from './runtime.ts';
import { withSharedWeights } from './shared-weights.ts';

type Tensors = Readonly<Record<string, Tensor>>;

export type Request =
  | { readonly op: 'start' }
  | { readonly op: 'load'; readonly session: number; readonly model: GraphFile }
  | { readonly op: 'run'; readonly session: number; readonly feeds: Tensors }
  | { readonly op: 'close'; readonly session: number };

export type Answer = string | Tensors | null;

/**
 * Creates a runtime in its own thread. The Node binding of ONNX Runtime computes on the calling thread, for seconds if a model
 * is large, so a server that must answer health checks meanwhile needs this. The threads copy tensors and share large weights.
 * An idle thread does not keep the process alive; `await using` closes it.
 *
 * @throws ProviderUnavailableError as `createRuntime` does. Its sessions throw DeviceError when the thread dies.
 */
export async function createThreadedRuntime(
  options: RuntimeOptions,
): Promise<Runtime & AsyncDisposable & { close(): Promise<void> }> {
  // The CUDA libraries do not see the environment of a thread, only that of the process.
  if (options.ep === 'cuda') disableTf32();
  const thread = new Worker(ownFile('threads/runtime'), { workerData: options });
  const channel = new RequestChannel<Request, Answer>((message) => thread.postMessage(message), errorOf);
  let sessions = 0;

  thread.on('message', (message) => channel.receive(message));
  const end = () => channel.close(new DeviceError('the runtime has stopped'));
  thread.on('error', end);
  thread.on('exit', end);

  const ask = (request: Request): Promise<Answer> => keepingAlive(thread, channel, request);
  const close = () => endThread(thread);
  const device = await ask({ op: 'start' }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    device: device as string,
    memory: options.memory,
    close,
    [Symbol.asyncDispose]: close,
    async load(model): Promise<Session> {
      const session = ++sessions;
      await ask({ op: 'load', session, model: withSharedWeights(model) });
      return {
        run: async (feeds) => (await ask({ op: 'run', session, feeds: compact(feeds) })) as Tensors,
        close: async () => {
          if (!channel.isClosed) await ask({ op: 'close', session });
        },
      };
    },
  };
}

/** Posting a view sends all the memory behind it, so a view of a part is copied first. */
const compact = (feeds: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => [
      name,
      tensor.data.buffer.byteLength > tensor.data.byteLength
        ? { ...tensor, data: tensor.data.slice() }
        : tensor,
    ]),
  ) as Tensors;
