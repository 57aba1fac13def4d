import { renderKey, type Style } from '@whylight/contract';
import { withRendering } from '../../domain/rendering.ts';
import { isTerminal, type Run } from '../../domain/run.ts';
import { eventsSince, type RunEvents } from '../../domain/run-events.ts';
import { isOwnStyle, viewRun } from '../../domain/waiters.ts';
import type { Renderings } from './renderings.ts';
import type { Runs } from './runs.ts';

/** Reads runs as their waiters see them, and waits for their changes. */
export class RunReader {
  readonly #runs: Runs;
  readonly #renderings: Renderings;

  constructor(runs: Runs, renderings: Renderings) {
    this.#runs = runs;
    this.#renderings = renderings;
  }

  /**
   * Run `number` as soon as it has ended for `waiter`, at the latest after `seconds`; null if there is no such run. It has
   * the pictures of `style` if a worker has rendered them.
   */
  async watch(number: number, waiter: string, style: Style | null, seconds: number): Promise<Run | null> {
    const run = await this.#readUntil(number, seconds, (now) => isTerminal(viewRun(now, waiter)));
    if (run?.status !== 'succeeded' || run.erased || !style || isOwnStyle(run, style)) return run;
    const rendering = await this.#renderings.find(number, await renderKey(run.submission.key, style));
    return rendering ? withRendering(run, rendering) : run;
  }

  /** The events of `waiter` after event `after`; waits up to `seconds` for the next one. */
  async readEvents(
    number: number,
    waiter: string,
    after: number | null,
    seconds: number,
  ): Promise<RunEvents | null> {
    const eventsOf = (run: Run) => eventsSince(this.#runs.statesOf(run), waiter, after);
    const run = await this.#readUntil(number, seconds, (now) => {
      const { events, done } = eventsOf(now);
      return events.length > 0 || done;
    });
    return run && eventsOf(run);
  }

  /** The run in its first state that `isEnough`, or in its present state after `seconds`. */
  async #readUntil(number: number, seconds: number, isEnough: (run: Run) => boolean): Promise<Run | null> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const run = await this.#runs.find(number);
      const left = end - Date.now();
      if (!run || isEnough(run) || left <= 0) return run;
      await this.#runs.next(left);
    }
  }
}
