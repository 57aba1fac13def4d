import type { Run } from '../../domain/run.ts';
import { type StoredRun, upgradeRun } from '../../domain/stored-run.ts';
import { isOpen } from '../../domain/waiters.ts';
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
  /** Runs before the last one for which something is left to do. */
  readonly #earlier = new Map<number, Run>();
  #storedEarlier: readonly number[] = [];
  /** States of the last run that this object has seen; the present state comes last. */
  #past: readonly Run[] = [];

  constructor(storage: DurableObjectStorage, retention: ResultRetention) {
    this.#storage = storage;
    this.#retention = retention;
  }

  async load(): Promise<void> {
    const last = await this.#storage.get<number>('last');
    if (last === undefined) return;
    this.#last = await this.#load(last);
    this.#storedEarlier = (await this.#storage.get<number[]>('earlier')) ?? [];
    for (const number of this.#storedEarlier) {
      const run = await this.#load(number);
      if (run) this.#earlier.set(number, run);
    }
  }

  get last(): Run | null {
    return this.#last;
  }

  /** The runs for which something is left to do. */
  get open(): Run[] {
    return [...this.#earlier.values(), ...(this.#last ? [this.#last] : [])].filter(isOpen);
  }

  /** A run that is in memory: the last one, or one for which something is left to do. */
  held(number: number): Run | null {
    return this.#last?.number === number ? this.#last : (this.#earlier.get(number) ?? null);
  }

  async find(number: number): Promise<Run | null> {
    return this.held(number) ?? this.#load(number);
  }

  /** The remembered states of `run`, at least the present one. */
  statesOf(run: Run): readonly Run[] {
    const past = this.#past.filter(({ number }) => number === run.number);
    return past.length > 0 ? past : [run];
  }

  /** Resolves at the next state of a run, or after `milliseconds`. */
  next(milliseconds: number): Promise<void> {
    return this.#changed.wait(milliseconds);
  }

  /** Makes `run` the last one, in memory only. */
  setLast(run: Run): void {
    if (this.#last && isOpen(this.#last)) this.#earlier.set(this.#last.number, this.#last);
    this.#last = run;
  }

  /** Undoes the start of `run`, of which nobody else knows. */
  async undoStart(run: Run, last: Run | null): Promise<void> {
    this.#last = last && (await this.find(last.number));
    if (last) this.#earlier.delete(last.number);
    this.#changed.notify();
    await this.#storage.delete(name(run.number));
    await (last ? this.#storage.put('last', last.number) : this.#storage.delete('last'));
  }

  /** Stores the next state of a run, or the first state of a new one. */
  async advance(next: Run): Promise<Run> {
    const run = { ...next, version: next.version + 1 };
    if (run.number === this.#last?.number)
      this.#past = [...this.#past.filter(({ number }) => number === run.number), run].slice(-remembered);
    const stored = this.amend(run);
    this.#changed.notify();
    await stored;
    return run;
  }

  /** Stores a change of `run` that is no event for its readers. */
  async amend(run: Run): Promise<void> {
    if (run.number === this.#last?.number) this.#last = run;
    else if (isOpen(run)) this.#earlier.set(run.number, run);
    else this.#earlier.delete(run.number);
    const earlier = [...this.#earlier.keys()];
    const isKnown = earlier.join() === this.#storedEarlier.join();
    this.#storedEarlier = earlier;
    const [last, changed] = [this.#last?.number, isKnown ? {} : { earlier }];
    await this.#storage.put({ [name(run.number)]: run, last, ...changed });
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
