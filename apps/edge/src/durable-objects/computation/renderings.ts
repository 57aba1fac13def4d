import { type JobError, renderKey, type Style } from '@whylight/contract';
import {
  type AskedRendering,
  afterFailure,
  type FoundRendering,
  isLasting,
  mostPinned,
  type NotRendered,
  type Rendering,
} from '../../domain/rendering.ts';
import type { Run } from '../../domain/run.ts';
import { isPending, pendingStyles } from '../../domain/waiters.ts';
import type { Services } from '../../services.ts';
import type { AlarmTask } from './alarm-task.ts';
import type { ArtifactDeletion } from './artifact-deletion.ts';
import { RenderingCalls } from './rendering-calls.ts';
import type { Runs } from './runs.ts';
import { StoredRenderings } from './stored-renderings.ts';

/** Renderings for waiting explanations that one computation asks workers for at a time: they have other jobs too. */
const triesAtATime = 4;
/** Milliseconds within which a try ends. If its object ends before, the alarm begins another try. */
const tryTime = 90_000;

const tooMany: JobError = {
  code: 'invalid_parameter',
  message: `A result has at most ${mostPinned} styles. POST /v1/explanations/{id}/render renders another one.`,
  retryable: false,
};

const nameOf = ({ run, key }: Pick<AskedRendering, 'run' | 'key'>): string => `rendering-asked/${run}/${key}`;

/** The members of a computation that its renderings use. */
interface Computation {
  readonly storage: DurableObjectStorage;
  readonly services: () => Services;
  readonly runs: Runs;
  readonly deletion: ArtifactDeletion;
  /** Tells all who wait for a rendering that it is done, or why it has failed. */
  readonly endRendering: (run: number, style: Style, error: JobError | null) => Promise<void>;
  readonly setAlarm: () => Promise<void>;
}

/**
 * The pictures of a computation's runs in other styles than their own (decision 41). A rendering for which explanations
 * wait is asked for until it is done or has failed: the alarm begins each try.
 */
export class Renderings implements AlarmTask {
  readonly #computation: Computation;
  readonly #stored: StoredRenderings;
  readonly #calls: RenderingCalls;
  readonly #asked = new Map<string, AskedRendering>();
  readonly #trying = new Set<string>();
  /** Whether no worker took the last rendering. */
  #lacksWorker = false;

  constructor(computation: Computation) {
    const { storage, services, runs, deletion } = computation;
    this.#computation = computation;
    this.#stored = new StoredRenderings(storage, deletion);
    this.#calls = new RenderingCalls(services, runs, deletion, this.#stored);
  }

  async load(): Promise<void> {
    const { storage, runs } = this.#computation;
    for (const [name, asked] of await storage.list<AskedRendering>({ prefix: 'rendering-asked/' }))
      this.#asked.set(name, asked);
    // The object may have ended after it had stored that explanations wait, and before it had asked.
    for (const run of runs.open) await this.ask(run, Date.now());
  }

  get due(): number {
    const isFull = this.#trying.size >= triesAtATime;
    const open = [...this.#asked].filter(([name]) => !isFull || this.#trying.has(name));
    return Math.min(Infinity, ...open.map(([, { due }]) => due));
  }

  /** Begins the tries that are due; they end later. */
  async act(now: number): Promise<void> {
    for (const [name, asked] of this.#asked) {
      const isTrying = this.#trying.has(name);
      if (asked.due > now || (!isTrying && this.#trying.size >= triesAtATime)) continue;
      const kept = this.#keep({ ...asked, due: now + tryTime });
      if (!isTrying) void this.#try(name, asked);
      await kept;
    }
  }

  find(run: number, key: string): Promise<Rendering | null> {
    return this.#stored.find(run, key);
  }

  /** Asks for all renderings for which explanations of `run` wait, for the first time at `due`. */
  async ask(run: Run, due: number): Promise<void> {
    for (const style of pendingStyles(run)) {
      const asked = { run: run.number, key: await renderKey(run.submission.key, style), style };
      if (this.#asked.has(nameOf(asked))) continue;
      await this.#keep({ ...asked, tries: 0, refusals: 0, due });
    }
  }

  /** Renders at once. `pinned`: keeps the rendering as long as the result, because an explanation depends on it. */
  async render(run: Run, style: Style, pinned: boolean): Promise<FoundRendering | NotRendered> {
    const key = await renderKey(run.submission.key, style);
    const name = nameOf({ run: run.number, key });
    const answer = await this.#findOrCall(run, key, style, pinned || this.#asked.has(name));
    await this.#count(run, 'error' in answer && answer.error.code === 'worker_unreachable');
    if ('rendering' in answer ? this.#asked.has(name) : isLasting(answer.error))
      await this.#end(name, run, style, 'error' in answer ? answer.error : null);
    // The call may have scheduled a deletion.
    await this.#computation.setAlarm();
    return answer;
  }

  /** Forgets all renderings of a run. @returns the prefixes where their pictures are, or may be */
  async forget(run: Run): Promise<string[]> {
    for (const [name, asked] of this.#asked) if (asked.run === run.number) await this.#drop(name);
    return this.#stored.forget(run);
  }

  async #findOrCall(
    run: Run,
    key: string,
    style: Style,
    pinned: boolean,
  ): Promise<FoundRendering | NotRendered> {
    const before = await this.#stored.find(run.number, key);
    if (before && (before.pinned || !pinned)) return { rendering: before, known: true };
    if (pinned && (await this.#stored.countPinned(run)) >= mostPinned)
      return { error: tooMany, begun: false };
    const answer = before ?? (await this.#calls.call({ run, key, style, pinned }));
    if ('error' in answer) return answer;
    const rendering = {
      ...answer,
      pinned: answer.pinned || pinned || this.#asked.has(nameOf({ run: run.number, key })),
    };
    if (!answer.pinned && rendering.pinned) await this.#stored.put(run, rendering);
    return { rendering, known: before !== null };
  }

  async #try(name: string, asked: AskedRendering): Promise<void> {
    const { runs, services, setAlarm } = this.#computation;
    this.#trying.add(name);
    try {
      const run = await runs.find(asked.run);
      const isWanted = run && isPending(run, asked.style);
      if (!isWanted) return await this.#drop(name);
      await services().backlog.enter('rendering', run.submission.key);
      const answer = await this.render(run, asked.style, true);
      if (!('error' in answer) || !this.#asked.has(name)) return;
      const next = afterFailure(asked, answer.error, Date.now());
      await ('code' in next ? this.#end(name, run, asked.style, next) : this.#keep(next));
    } catch (error) {
      console.error('a rendering was not tried; the alarm does it again', error);
    } finally {
      this.#trying.delete(name);
      await this.act(Date.now());
      await setAlarm();
    }
  }

  /**
   * Notes whether a rendering lacks a worker. Whoever asked for it with `render` is told to ask again, so the row stays until
   * another try succeeds, or expires.
   */
  async #count(run: Run, lacksWorker: boolean): Promise<void> {
    const { backlog } = this.#computation.services();
    const { key } = run.submission;
    if (lacksWorker) await backlog.enter('rendering', key);
    else if (this.#lacksWorker && this.#asked.size === 0) await backlog.leave('rendering', key);
    this.#lacksWorker = lacksWorker;
  }

  /** Nobody waits for the rendering any more: it is done, or has failed. */
  async #end(name: string, run: Run, style: Style, error: JobError | null): Promise<void> {
    await this.#drop(name);
    await this.#computation.endRendering(run.number, style, error);
  }

  async #keep(asked: AskedRendering): Promise<void> {
    this.#asked.set(nameOf(asked), asked);
    await this.#computation.storage.put(nameOf(asked), asked);
  }

  async #drop(name: string): Promise<void> {
    const { storage, services, runs } = this.#computation;
    if (!this.#asked.delete(name)) return;
    await storage.delete(name);
    if (this.#asked.size === 0) await services().backlog.leave('rendering', runs.last!.submission.key);
  }
}
