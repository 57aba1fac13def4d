import { Worker } from 'node:worker_threads';
import { RequestChannel } from '@whylight/core';
import { ownFile } from '../own-file.ts';
import { Budget } from '../scheduling/budget.ts';
import { FairQueue } from '../scheduling/fair-queue.ts';
import { endThread, keepingAlive } from '../thread-end.ts';
import { type Rendering, renderScene, type Scene } from './rendering.ts';

/** Renders explanations. `await using` closes it. */
export interface RenderPool extends Partial<AsyncDisposable> {
  /** Renders a scene. Where many wait for a thread, each owner has its turn. */
  render(scene: Scene, owner?: string): Promise<Rendering>;
  close(): Promise<void>;
}

/** Renders on the thread of the caller. */
export const inlineRenderPool: RenderPool = {
  render: (scene) => renderScene(scene),
  close: async () => {},
};

interface RenderThread {
  readonly thread: Worker;
  readonly channel: RequestChannel<Scene, Rendering>;
}

const stopped = () => new Error('the render thread has stopped');

export interface RenderPoolOptions {
  /**
   * Whether several owners share the pool. Then it has one thread more, which is never for an owner who has another one: so the next
   * owner's picture is begun at once, however long those of the others take.
   */
  readonly shared?: boolean;
}

/**
 * Renders in its own threads. For a small network rendering costs more than explaining, and a thread that renders cannot feed
 * the device. If a thread dies, its renderings fail, and the pool starts another thread.
 */
export function createRenderPool(
  count: number,
  { shared = false }: RenderPoolOptions = {},
): RenderPool & AsyncDisposable {
  const threads = new Set<RenderThread>();
  const places = shared ? count + 1 : count;
  const queue = new FairQueue({
    capacity: new Budget(places),
    mayStart: (own, all) => own === 0 || !shared || all < count,
  });
  let open = true;

  const start = () => {
    const thread = new Worker(ownFile('threads/render'));
    const channel = new RequestChannel<Scene, Rendering>(
      (message) => thread.postMessage(message),
      (message) => new Error(String(message)),
    );
    const renderThread = { thread, channel };
    thread.unref();
    thread.on('message', (message) => channel.receive(message));
    thread.on('error', () => {});
    thread.on('exit', () => {
      threads.delete(renderThread);
      channel.close(stopped());
      if (open) start();
    });
    threads.add(renderThread);
  };
  for (let i = 0; i < places; i++) start();

  const close = async (): Promise<void> => {
    open = false;
    for (const { channel } of threads) channel.close(stopped());
    await Promise.all([...threads].map(({ thread }) => endThread(thread)));
  };
  return {
    async render(scene, owner = '') {
      if (!open) throw new Error('the render pool is closed');
      return queue.run({ owner, claim: 1 }, async () => {
        const [freest] = [...threads].sort((a, b) => a.channel.pending - b.channel.pending);
        if (!open || !freest) throw stopped();
        return keepingAlive(freest.thread, freest.channel, scene);
      });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
