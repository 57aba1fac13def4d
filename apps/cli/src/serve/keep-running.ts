import type { Child, LogLine } from './child.ts';

/** A part of the service that can be started again. */
export interface Part {
  readonly name: string;
  /** Starts it again, in the same place; resolves when it is ready. */
  restart(): Promise<Child>;
}

/** Times that a part may die within a minute before it is given up. */
const allowed = 3;
const window = 60_000;
/** Milliseconds for remaining processes of a part to end by themselves. */
const patience = 1000;

/**
 * Starts a part again whenever it dies.
 *
 * @returns the reason, as a sentence, once that does not help: it died too often, or cannot be started
 */
export async function keepRunning(part: Part, first: Child, log: LogLine): Promise<string> {
  const deaths: number[] = [];
  let child = first;
  for (;;) {
    const how = `the ${part.name} ended unexpectedly (${await child.exited})`;
    const now = performance.now();
    deaths.push(now);
    if (deaths.filter((at) => at > now - window).length > allowed)
      return `${how}, for the ${deaths.length}th time in a minute`;
    log('serve', `${how}: it is started again`);
    await child.stop(patience);
    try {
      child = await part.restart();
    } catch (error) {
      return `${how} and cannot be started again: ${(error as Error).message}`;
    }
    log('serve', `the ${part.name} is back`);
  }
}
