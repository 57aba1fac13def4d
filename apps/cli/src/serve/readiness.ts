import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import type { Child } from './child.ts';
import { endedAtStart } from './start-part.ts';

const startLimit = 90_000;

/**
 * Resolves when `url` answers with success; `health` may say earlier that it never will.
 *
 * @throws EndedAtStart when the process ends before. @throws Failure when it takes longer than 90 s
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
    const state = health === undefined ? null : await stateOf(health);
    if (state?.status === 'failed') throw new Failure(`the ${name} cannot start: ${state.reason}`);
    if (gone) throw await endedAtStart(child);
    if (performance.now() > deadline) {
      const reason = state?.reason === undefined ? '' : `: ${state.reason}`;
      throw new Failure(`the ${name} was not ready in ${startLimit / 1000} s${reason}`);
    }
    await sleep(100);
  }
}

/** Reads the health that the process reports; null if the process does not answer, or ends before its answer is complete. */
async function stateOf(health: string): Promise<{ status?: string; reason?: string } | null> {
  const response = await get(health);
  return response === null ? null : await response.json().catch(() => null);
}

const get = (url: string): Promise<Response | null> =>
  fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => null);

/** The address that a worker's log line states when it listens. */
export const listeningUrl = (line: string): string | undefined =>
  /"event":"worker_listening",(?:.*,)?"url":"([^"]+)"/.exec(line)?.[1];
