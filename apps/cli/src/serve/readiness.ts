import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import type { Child } from './child.ts';

const startLimit = 90_000;

/**
 * Resolves when `url` answers with success; `health` may say earlier that it never will.
 *
 * @throws Failure when the process ends before, or takes longer than 90 s
 */
export async function untilReady(child: Child, url: string, health?: string): Promise<void> {
  const { name } = child;
  const deadline = performance.now() + startLimit;
  let gone = false;
  void child.exited.then(() => {
    gone = true;
  });
  for (;;) {
    if ((await get(url))?.ok) return;
    const state = health
      ? ((await (await get(health))?.json()) as { status?: string; reason?: string })
      : undefined;
    if (state?.status === 'failed') throw new Failure(`the ${name} cannot start: ${state.reason}`);
    if (gone) throw new Failure(`the ${name} ended before it was ready; its log says why`);
    if (performance.now() > deadline)
      throw new Failure(`the ${name} was not ready in ${startLimit / 1000} s`);
    await sleep(100);
  }
}

const get = (url: string): Promise<Response | null> =>
  fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => null);
