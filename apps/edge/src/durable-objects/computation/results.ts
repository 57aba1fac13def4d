import { type Run, stalePrefixes } from '../../domain/run.ts';
import type { Services } from '../../services.ts';
import type { AlarmTask } from './alarm-task.ts';
import type { ArtifactDeletion } from './artifact-deletion.ts';
import type { Renderings } from './renderings.ts';
import type { ResultRetention } from './result-retention.ts';
import type { Runs } from './runs.ts';

/** The members of a computation that its results use. */
interface Computation {
  readonly services: () => Services;
  readonly runs: Runs;
  readonly retention: ResultRetention;
  readonly renderings: Renderings;
  readonly deletion: ArtifactDeletion;
  readonly setAlarm: () => Promise<void>;
}

/** The finished results: whether they are intact, and their deletion, by the alarm when their time is over. */
export class Results implements AlarmTask {
  readonly #computation: Computation;

  constructor(computation: Computation) {
    this.#computation = computation;
  }

  get due(): number {
    return this.#computation.retention.due;
  }

  async act(now: number): Promise<void> {
    const { retention, runs } = this.#computation;
    for (const number of retention.expired(now)) {
      const run = await runs.find(number);
      if (run && !run.erased) await this.discard(run);
      else await retention.remove(number);
    }
  }

  /** The run with the last result, if its stored bytes are intact. Keeps it at least until `keepUntil`. */
  async find(keepUntil: number): Promise<Run | null> {
    const { runs, retention } = this.#computation;
    const now = Date.now();
    const run = runs.last;
    if (run?.status !== 'succeeded' || run.erased) return null;
    if (!retention.holds(run.number, now)) return null;
    if (!retention.isTrusted(run.number, now) && !(await this.#isIntact(run))) return null;
    await retention.keep(run.number, keepUntil);
    return run;
  }

  /** Deletes a result: from here on nobody sees it. */
  async discard(run: Run): Promise<void> {
    const { runs, retention, renderings, deletion, setAlarm } = this.#computation;
    const erased: Run = { ...run, result: null, artifacts: [], erased: run.status === 'succeeded' };
    await runs.amend(erased);
    await retention.remove(run.number);
    const rendered = await renderings.forget(run);
    await deletion.schedule([...stalePrefixes(erased), ...rendered], Date.now());
    await deletion.act(Date.now());
    await setAlarm();
  }

  /** Whether the store still has the bytes that the worker wrote; if not, discards the result. */
  async #isIntact(run: Run): Promise<boolean> {
    const { services, runs, retention } = this.#computation;
    const { objects } = services();
    const checked = run.artifacts.map(
      async ({ object, sha256 }) => (await objects.digest(object)) === sha256,
    );
    // A store that does not answer proves nothing.
    const intact = (await Promise.all(checked).catch(() => null))?.every(Boolean) ?? true;
    if (intact) await retention.trust(run.number);
    else {
      console.error(`${run.submission.requestId}: a stored result is damaged or gone, and is discarded`);
      const { last } = runs;
      if (last?.number === run.number && !last.erased) await this.discard(last);
    }
    return intact;
  }
}
