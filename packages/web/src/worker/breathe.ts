/** Longest that a worker computes without hearing its messages, in milliseconds. */
const longest = 16;

/**
 * Lets the messages in that wait, such as that a call is given up: WebAssembly holds the thread, and what a promise does
 * next comes before any message.
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
