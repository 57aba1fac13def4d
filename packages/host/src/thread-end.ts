import type { MessagePort, Worker } from 'node:worker_threads';

/** The last message to a thread. */
const end = 'end';
/** Milliseconds that a thread may take for what it has begun. */
const patience = 10_000;

/** In the thread: ends it by itself when it is told to, after what was asked before. */
export function endWhenTold(port: MessagePort, done: () => Promise<unknown> = async () => {}): void {
  port.on('message', (message: unknown) => {
    if (message === end) void done().then(() => port.close());
  });
}

/**
 * Ends a thread and waits until it is gone. It goes by itself: to terminate one for which a native library is at work
 * can take the whole process along.
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
