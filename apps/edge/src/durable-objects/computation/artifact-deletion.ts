import { artifactNames, checkpointUnder } from '@whylight/contract';
import type { Services } from '../../services.ts';
import type { AlarmTask } from './alarm-task.ts';

interface Task {
  readonly prefix: string;
  /** Unix milliseconds. */
  readonly due: number;
}

/** Milliseconds before another try after the store did not answer. */
const pause = 60_000;

/** Deletes artifacts and checkpoints under prefixes, now or later, until the store confirms that they are gone. Survives its object. */
export class ArtifactDeletion implements AlarmTask {
  readonly #storage: DurableObjectStorage;
  readonly #services: () => Services;
  #tasks: readonly Task[] = [];

  constructor(storage: DurableObjectStorage, services: () => Services) {
    this.#storage = storage;
    this.#services = services;
  }

  async load(): Promise<void> {
    this.#tasks = (await this.#storage.get<Task[]>('deletions')) ?? [];
  }

  get due(): number {
    return Math.min(Infinity, ...this.#tasks.map(({ due }) => due));
  }

  /** The prefixes below `prefix` whose artifacts will be deleted. */
  scheduledBelow(prefix: string): string[] {
    return this.#tasks.flatMap((task) => (task.prefix.startsWith(prefix) ? [task.prefix] : []));
  }

  async schedule(prefixes: readonly string[], due: number): Promise<void> {
    if (prefixes.length === 0) return;
    this.#tasks = [...this.#tasks, ...prefixes.map((prefix) => ({ prefix, due }))];
    await this.#storage.put('deletions', this.#tasks);
  }

  async act(now: number): Promise<void> {
    const [due, rest] = [
      this.#tasks.filter((task) => task.due <= now),
      this.#tasks.filter((task) => task.due > now),
    ];
    if (due.length === 0) return;
    const { objects } = this.#services();
    const tried = due.map(async ({ prefix }) => {
      const names = [...artifactNames.map((name) => prefix + name), checkpointUnder(prefix)];
      const gone = await Promise.all(names.map((name) => objects.delete(name)));
      return gone.every(Boolean) ? [] : [{ prefix, due: now + pause }];
    });
    const again = (await Promise.all(tried)).flat();
    // Tasks that were scheduled while the store answered stay.
    const added = this.#tasks.filter((task) => !due.includes(task) && !rest.includes(task));
    this.#tasks = [...rest, ...added, ...again];
    await this.#storage.put('deletions', this.#tasks);
  }
}
