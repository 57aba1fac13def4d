import type { Run } from '../../domain/run.ts';
import { type StoredRun, upgradeRun } from '../../domain/stored-run.ts';
import { Signal } from '../signal.ts';
import type { ResultRetention } from './result-retention.ts';

/** States that are remembered, for readers of events that lose their connection. */
const remembered = 100;

const name = (run: number): string => `run/${run}`;

/** The runs of one computation, all of them stored; the last one is in memory, from before it is stored. */
export class Runs {
  readonly #storage: DurableObjectStorage;
  readonly #retention: ResultRetention;
  readonly #changed = new Signal();
  #last: Run | null = null;
  /** States of the last run that this object has seen; the present state comes last. */
  #past: readonly Run[] = [];

  constructor(storage: DurableObjectStorage, retention: ResultRetention) {
    this.#storage = storage;
    this.#retention = retention;
  }

  async load(): Promise<void> {
    const last = await this.#storage.get<number>('last');
    if (last !== undefined) this.#last = await this.#load(last);
  }

  get last(): Run | null {
    return this.#last;
  }

  async find(number: number): Promise<Run | null> {
    if (this.#last?.number === number) return this.#last;
    return this.#load(number);
  }

  /** The remembered states of `run`, at least the present one. */
  statesOf(run: Run): readonly Run[] {
    const past = this.#past.filter(({ number }) => number === run.number);
    return past.length > 0 ? past : [run];
  }

  /** Resolves at the next state of the last run, or after `milliseconds`. */
  next(milliseconds: number): Promise<void> {
    return this.#changed.wait(milliseconds);
  }

  /** Makes `run` the last one, in memory only. */
  setLast(run: Run): void {
    this.#last = run;
  }

  /** Undoes the start of `run`, of which nobody else knows. */
  async undoStart(run: Run, last: Run | null): Promise<void> {
    this.#last = last;
    this.#changed.notify();
    await this.#storage.delete(name(run.number));
    await (last ? this.#storage.put('last', last.number) : this.#storage.delete('last'));
  }

  /** Stores the next state of the last run, or the first state of a new one. */
  async advance(next: Run): Promise<Run> {
    const run = { ...next, version: next.version + 1 };
    this.#last = run;
    this.#past = [...this.#past.filter(({ number }) => number === run.number), run].slice(-remembered);
    this.#changed.notify();
    await this.#storage.put({ [name(run.number)]: run, last: run.number });
    return run;
  }

  /** Stores a change of `run` that is no event for its readers. */
  async amend(run: Run): Promise<void> {
    if (this.#last?.number === run.number) this.#last = run;
    await this.#storage.put(name(run.number), run);
  }

  async #load(number: number): Promise<Run | null> {
    const stored = await this.#storage.get<StoredRun>(name(number));
    if (!stored) return null;
    const run = upgradeRun(stored);
    if (!('keepUntil' in stored) && run.status === 'succeeded' && !run.erased)
      await this.#retention.keep(number, run.keepUntil);
    return run;
  }
}
