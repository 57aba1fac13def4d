import type { MessagePort, Worker } from 'node:worker_threads';
import type { RequestChannel } from '@whylight/core';

/** The last message to a thread. */
const end = 'end';
/** Milliseconds that a thread may take for what it has begun. */
const patience = 10_000;

/** In the thread: closes its port after the last message, once `finish` resolves. The thread then ends by itself. */
export function closeAtEnd(port: MessagePort, finish: () => Promise<unknown> = async () => {}): void {
  port.on('message', (message: unknown) => {
    if (message === end) void finish().then(() => port.close());
  });
}

/**
 * Ends a thread and waits until it is gone. The thread ends by itself: to terminate a thread while a native library works
 * for it can end the whole process.
 */
export async function endThread(thread: Worker): Promise<void> {
  if (thread.threadId === -1) return;
  const gone = new Promise((resolve) => thread.once('exit', resolve));
  const timer = setTimeout(() => void thread.terminate(), patience);
  thread.ref();
  thread.postMessage(end);
  await gone;
  clearTimeout(timer);
}

/** Asks a thread. It keeps the process alive until it has answered all requests, and no longer. */
export async function keepingAlive<Request, Answer>(
  thread: Worker,
  channel: RequestChannel<Request, Answer>,
  request: Request,
): Promise<Answer> {
  thread.ref();
  try {
    return await channel.request(request);
  } finally {
    if (channel.pending === 0) thread.unref();
  }
}
