import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import type { Child, LogLine } from './child.ts';

/** A process ended before it was ready. */
export class EndedAtStart extends Failure {}

export interface StartOptions {
  /** The part that is started, in the log. */
  readonly name: string;
  readonly log: LogLine;
  /** Milliseconds before the first repetition; each later pause is twice as long. */
  readonly pause?: number;
}

/** Milliseconds for the output of a process that has ended to arrive. */
const outputPatience = 1000;
/** Times that a part may die while it starts before it is given up. */
const mostDeaths = 4;

/**
 * Starts a part, and again if it dies on its way.
 *
 * @param start starts it once; rejects with `EndedAtStart` if it has died. @throws Failure with the part's last words when it
 *   has died too often, or what else `start` rejects with
 */
export async function startPart<T>(
  start: () => Promise<T>,
  { name, log, pause = 1000 }: StartOptions,
): Promise<T> {
  for (let deaths = 1; ; deaths++) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof EndedAtStart)) throw error;
      if (deaths === mostDeaths)
        throw new Failure(`the ${name} died ${deaths} times while it started: ${error.message}`);
      const milliseconds = pause * 2 ** (deaths - 1);
      log('serve', `${error.message}: it is started again in ${milliseconds / 1000} s`);
      await sleep(milliseconds, undefined, { ref: false });
    }
  }
}

/** The error of a child that has ended too early: how it ended, and what it said last. */
export async function endedAtStart(child: Child): Promise<EndedAtStart> {
  const status = await child.exited;
  // Something that it has started may hold its output open.
  await Promise.race([child.closed, sleep(outputPatience, undefined, { ref: false })]);
  const how = `the ${child.name} ended before it was ready (${status})`;
  return new EndedAtStart(
    child.lastWords === '' ? `${how} and said nothing` : `${how}; its last words: ${child.lastWords}`,
  );
}
