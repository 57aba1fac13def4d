import type { Session } from '@whylight/core';

/**
 * A runtime that keeps one session loaded at a time, and loads a session again when somebody runs it. A method has several
 * graphs, each with all weights of the network; so the weights are in memory once.
 */
export function oneAtATime(): (open: () => Promise<Session>) => Promise<Session> {
  let loaded: { readonly by: object; readonly session: Session } | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
  const unload = async () => {
    const session = loaded?.session;
    loaded = undefined;
    await session?.close();
  };
  const sessionOf = async (by: object, open: () => Promise<Session>): Promise<Session> => {
    if (loaded?.by === by) return loaded.session;
    await unload();
    const session = await open();
    loaded = { by, session };
    return session;
  };

  return async (open) => {
    const by = {};
    await inTurn(() => sessionOf(by, open));
    return {
      run: (feeds) => inTurn(async () => (await sessionOf(by, open)).run(feeds)),
      close: () => inTurn(async () => (loaded?.by === by ? unload() : undefined)),
    };
  };
}
