import { Failure } from '../failure.ts';

/** A service that runs until it is stopped. */
interface Stoppable<A> {
  start(): Promise<A>;
  /** Resolves with the reason when a part of it fails. */
  failed(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts a service, tells `ready`, and runs until a signal comes, a part of the service fails, or `ready` resolves
 * to true. Whatever happens, everything is ended before this returns.
 *
 * @throws Failure when a part failed
 */
export async function untilStopped<A>(service: Stoppable<A>, ready: (access: A) => unknown): Promise<void> {
  const asked = stopAsked();
  try {
    const begun = service.start();
    // A start that is interrupted fails when its children are ended; nobody waits for it then.
    begun.catch(() => {});
    const access = await Promise.race([begun, asked]);
    if (access === undefined) return;
    const failed = service.failed();
    const done = Promise.resolve(ready(access)).then((finished) => (finished === true ? undefined : asked));
    const reason = await Promise.race([done, failed]);
    if (reason !== undefined) throw new Failure(reason);
  } finally {
    await service.stop();
  }
}

/** Resolves when this process is asked to end: by a signal, or because the launcher that started it is gone. */
function stopAsked(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve(undefined));
    process.once('disconnect', () => resolve(undefined));
    process.channel?.unref();
  });
}
