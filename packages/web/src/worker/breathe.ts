/** Longest time that a worker computes without receiving messages, in milliseconds. */
const longest = 16;

/**
 * Makes a pause in which waiting messages arrive, such as the abort of a call: WebAssembly blocks the thread, and
 * callbacks of promises run before any message.
 */
export function breathing(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  let last = performance.now();
  return async () => {
    if (performance.now() - last < longest) return;
    await new Promise<void>((resolve) => {
      port1.onmessage = () => resolve();
      port2.postMessage(null);
    });
    last = performance.now();
  };
}
