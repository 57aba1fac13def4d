import { type JobError, type Look, type RenderingJob, renderKey } from '@whylight/contract';
import {
  type Drawing,
  drawingPrefix,
  mostPinned,
  mostUnpinned,
  renderingJobOf,
} from '../../domain/drawing.ts';
import type { Drawn, Run } from '../../domain/flight.ts';
import type { GpuWorker } from '../../storage/gpu-worker.ts';
import type { Sweeper } from './sweeper.ts';

const tooMany: JobError = {
  code: 'invalid_parameter',
  message: `A result is kept in ${mostPinned} looks at most: have it drawn by POST /v1/explanations/{id}/render.`,
  retryable: false,
};

const under = (run: number, key = ''): string => `drawing/${run}/${key}`;
/** Set while it is not known what has come of a drawing: pictures of it may lie in the store. */
const begun = (run: number, key = ''): string => `drawing-begun/${run}/${key}`;

/** The pictures of a flight's runs in other looks than their own. Two who want the same at once have it drawn once. */
export class Drawings {
  readonly #storage: DurableObjectStorage;
  readonly #sweeper: Sweeper;
  readonly #underWay = new Map<string, Promise<Drawing | JobError>>();

  constructor(storage: DurableObjectStorage, sweeper: Sweeper) {
    this.#storage = storage;
    this.#sweeper = sweeper;
  }

  async find(run: number, key: string): Promise<Drawing | null> {
    return (await this.#storage.get<Drawing>(under(run, key))) ?? null;
  }

  /** `pinned`: for good, because an explanation rests on it. */
  async draw(
    worker: GpuWorker,
    run: Run,
    look: Look,
    input: RenderingJob['input'] | null,
    pinned: boolean,
  ): Promise<Drawn | JobError> {
    const key = await renderKey(run.submission.key, look);
    const name = under(run.number, key);
    const before = await this.#storage.get<Drawing>(name);
    if (before?.pinned || (before && !pinned)) return { drawing: before, known: true };
    if (pinned && (await this.#of(run)).filter((drawing) => drawing.pinned).length >= mostPinned)
      return tooMany;
    if (before) return { drawing: await this.#pinned(name, before, pinned), known: true };
    let drawn = this.#underWay.get(name);
    if (!drawn) {
      const asked = this.#ask(worker, run, renderingJobOf(run, key, look, input), key, pinned);
      drawn = asked.finally(() => this.#underWay.delete(name));
      this.#underWay.set(name, drawn);
    }
    const drawing = await drawn;
    if ('code' in drawing) return drawing;
    return { drawing: await this.#pinned(name, drawing, pinned), known: false };
  }

  /** Forgets all drawings of a run. @returns where their pictures are, or may be */
  async forget(run: Run): Promise<string[]> {
    const open = [...(await this.#storage.list<string>({ prefix: begun(run.number) })).values()];
    const keys = [...(await this.#of(run)).map(({ key }) => key), ...open];
    await this.#storage.delete(keys.flatMap((key) => [under(run.number, key), begun(run.number, key)]));
    return [...new Set(keys)].map((key) => drawingPrefix(run, key));
  }

  async #ask(
    worker: GpuWorker,
    run: Run,
    job: RenderingJob,
    key: string,
    pinned: boolean,
  ): Promise<Drawing | JobError> {
    await this.#storage.put(begun(run.number, key), key);
    const rendered = await worker.render(job);
    if ('code' in rendered) return rendered;
    await this.#storage.delete(begun(run.number, key));
    const drawing = { key, ...rendered, drawnAt: Date.now(), pinned };
    await this.#storage.put(under(run.number, key), drawing);
    if (!pinned) await this.#makeRoom(run);
    return drawing;
  }

  async #pinned(name: string, drawing: Drawing, pinned: boolean): Promise<Drawing> {
    if (drawing.pinned || !pinned) return drawing;
    await this.#storage.put(name, { ...drawing, pinned });
    return { ...drawing, pinned };
  }

  async #makeRoom(run: Run): Promise<void> {
    const loose = (await this.#of(run)).filter(({ pinned }) => !pinned);
    const old = loose.toSorted((a, b) => b.drawnAt - a.drawnAt).slice(mostUnpinned);
    await this.#storage.delete(old.map(({ key }) => under(run.number, key)));
    await this.#sweeper.plan(
      old.map(({ key }) => drawingPrefix(run, key)),
      Date.now(),
    );
  }

  async #of(run: Run): Promise<Drawing[]> {
    return [...(await this.#storage.list<Drawing>({ prefix: under(run.number) })).values()];
  }
}
