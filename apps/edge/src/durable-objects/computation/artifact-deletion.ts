import { artifactNames } from '@whylight/contract';
import type { Objects } from '../../storage/objects.ts';

interface Task {
  readonly prefix: string;
  /** Unix milliseconds. */
  readonly due: number;
}

/** Milliseconds before another try when the store did not answer. */
const pause = 60_000;

/** Deletes artifacts under prefixes, now or later, until the store says that they are gone. Survives its object. */
export class Sweeper {
  readonly #storage: DurableObjectStorage;
  #tasks: readonly Task[] = [];

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  async load(): Promise<void> {
    this.#tasks = (await this.#storage.get<Task[]>('sweeps')) ?? [];
  }

  /** When there is something to do next. */
  get due(): number {
    return Math.min(Infinity, ...this.#tasks.map(({ due }) => due));
  }

  /** Where under `prefix` something is to be deleted later. */
  planned(prefix: string): string[] {
    return this.#tasks.flatMap((task) => (task.prefix.startsWith(prefix) ? [task.prefix] : []));
  }

  async plan(prefixes: readonly string[], due: number): Promise<void> {
    if (prefixes.length === 0) return;
    this.#tasks = [...this.#tasks, ...prefixes.map((prefix) => ({ prefix, due }))];
    await this.#storage.put('sweeps', this.#tasks);
  }

  /** Does what is due. */
  async run(objects: Objects, now: number): Promise<void> {
    const [due, rest] = [
      this.#tasks.filter((task) => task.due <= now),
      this.#tasks.filter((task) => task.due > now),
    ];
    if (due.length === 0) return;
    const tried = due.map(async ({ prefix }) => {
      const gone = await Promise.all(artifactNames.map((name) => objects.delete(prefix + name)));
      return gone.every(Boolean) ? [] : [{ prefix, due: now + pause }];
    });
    const again = (await Promise.all(tried)).flat();
    // What was planned while the store was being asked is kept.
    const planned = this.#tasks.filter((task) => !due.includes(task) && !rest.includes(task));
    this.#tasks = [...rest, ...planned, ...again];
    await this.#storage.put('sweeps', this.#tasks);
  }
}
