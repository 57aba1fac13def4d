import {
  artifactPrefix,
  currentWarnings,
  type JobError,
  type Look,
  newNonce,
  type RenderingJob,
  renderKey,
} from '@whylight/contract';
import {
  type Drawing,
  type Drawn,
  drawingPrefix,
  isAt,
  mostPinned,
  mostUnpinned,
  placeOf,
  renderingJobOf,
} from '../../domain/drawing.ts';
import { lateWrites, outputPrefix, type Run } from '../../domain/run.ts';
import type { GpuWorker } from '../../storage/gpu-worker.ts';
import type { Sweeper } from './artifact-deletion.ts';

const tooMany: JobError = {
  code: 'invalid_parameter',
  message: `A result is kept in ${mostPinned} looks at most: have it drawn by POST /v1/explanations/{id}/render.`,
  retryable: false,
};

const misplaced: JobError = {
  code: 'internal',
  message: 'A worker says that it wrote the pictures to another place than it was given.',
  retryable: true,
};

const under = (run: number, key = ''): string => `drawing/${run}/${key}`;
/** Holds where a worker writes pictures while it is not known what has come of them: some may lie in the store. */
const begun = (run: number, nonce = ''): string => `drawing-begun/${run}/${nonce}`;

/**
 * The pictures of a computation's runs in other looks than their own. Two who want the same at once have it drawn once. Each
 * call of a worker has a place of its own: one that was given up, and still writes, overwrites nothing.
 */
export class Drawings {
  readonly #storage: DurableObjectStorage;
  readonly #sweeper: Sweeper;
  readonly #underWay = new Map<string, Promise<Drawing | JobError>>();

  constructor(storage: DurableObjectStorage, sweeper: Sweeper) {
    this.#storage = storage;
    this.#sweeper = sweeper;
  }

  find(run: number, key: string): Promise<Drawing | null> {
    return this.#stored(under(run, key));
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
    const before = await this.#stored(name);
    if (before?.pinned || (before && !pinned)) return { drawing: before, known: true };
    if (pinned && (await this.#of(run)).filter((drawing) => drawing.pinned).length >= mostPinned)
      return tooMany;
    if (before) return { drawing: await this.#pinned(name, before, pinned), known: true };
    let drawn = this.#underWay.get(name);
    if (!drawn) {
      const nonce = newNonce();
      const job = renderingJobOf(run, artifactPrefix(drawingPrefix(run, key), nonce), look, input);
      const asked = this.#ask(worker, run, job, { key, pinned, mark: begun(run.number, nonce) });
      drawn = asked.finally(() => this.#underWay.delete(name));
      this.#underWay.set(name, drawn);
    }
    const drawing = await drawn;
    if ('code' in drawing) return drawing;
    return { drawing: await this.#pinned(name, drawing, pinned), known: false };
  }

  /** Forgets all drawings of a run. @returns where their pictures are, or may be */
  async forget(run: Run): Promise<string[]> {
    const open = await this.#storage.list<string>({ prefix: begun(run.number) });
    const drawn = await this.#storage.list<Drawing>({ prefix: under(run.number) });
    await Promise.all([...open.keys(), ...drawn.keys()].map((name) => this.#storage.delete(name)));
    // An earlier release has written down the key of the drawing, whose pictures had no other place.
    const asked = [...open.values()].map((place) =>
      place.includes('/') ? place : drawingPrefix(run, place),
    );
    const written = [...drawn.values()].flatMap((drawing) => placeOf(drawing) ?? []);
    // What was given up is swept once no worker can be writing it any more; what is there by now goes now.
    return [...new Set([...asked, ...written, ...this.#sweeper.planned(outputPrefix(run))])];
  }

  async #ask(
    worker: GpuWorker,
    run: Run,
    job: RenderingJob,
    { key, pinned, mark }: { readonly key: string; readonly pinned: boolean; readonly mark: string },
  ): Promise<Drawing | JobError> {
    const prefix = job.output_prefix;
    await this.#storage.put(mark, prefix);
    const rendered = await worker.render(job);
    if ('error' in rendered || !isAt(rendered, prefix)) {
      const { error, begun } = 'error' in rendered ? rendered : { error: misplaced, begun: true };
      if (begun) await this.#sweeper.plan([prefix], Date.now() + lateWrites);
      await this.#storage.delete(mark);
      return error;
    }
    const drawing = { key, ...rendered, drawnAt: Date.now(), pinned };
    await this.#storage.put(under(run.number, key), drawing);
    await this.#storage.delete(mark);
    if (!pinned) await this.#makeRoom(run);
    return drawing;
  }

  async #stored(name: string): Promise<Drawing | null> {
    const drawing = await this.#storage.get<Drawing>(name);
    return drawing ? { ...drawing, warnings: currentWarnings(drawing.warnings) } : null;
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
      old.flatMap((drawing) => placeOf(drawing) ?? []),
      Date.now(),
    );
  }

  async #of(run: Run): Promise<Drawing[]> {
    return [...(await this.#storage.list<Drawing>({ prefix: under(run.number) })).values()];
  }
}
