import {
  artifactPrefix,
  currentWarnings,
  type JobError,
  newNonce,
  type RenderingJob,
  renderKey,
  type Style,
} from '@whylight/contract';
import {
  type FoundRendering,
  isBelow,
  mostPinned,
  mostUnpinned,
  type Rendering,
  renderingJobOf,
  renderingPrefix,
  storedPrefix,
} from '../../domain/rendering.ts';
import { lateWrites, outputPrefix, type Run } from '../../domain/run.ts';
import type { GpuWorker } from '../../storage/gpu-worker.ts';
import type { ArtifactDeletion } from './artifact-deletion.ts';

const tooMany: JobError = {
  code: 'invalid_parameter',
  message: `A result has at most ${mostPinned} styles. POST /v1/explanations/{id}/render renders another one.`,
  retryable: false,
};

const misplaced: JobError = {
  code: 'internal',
  message: 'A worker reports pictures at another place than its job names.',
  retryable: true,
};

const under = (run: number, key = ''): string => `rendering/${run}/${key}`;
/** Holds where a worker writes pictures until its answer arrives: some may be in the store if none does. */
const begun = (run: number, nonce = ''): string => `rendering-begun/${run}/${nonce}`;

/**
 * The pictures of a computation's runs in other styles than their own. Requests for the same style at the same time share
 * one rendering. Each call of a worker writes to a prefix of its own, so that a late worker overwrites nothing.
 */
export class Renderings {
  readonly #storage: DurableObjectStorage;
  readonly #deletion: ArtifactDeletion;
  readonly #underWay = new Map<string, Promise<Rendering | JobError>>();

  constructor(storage: DurableObjectStorage, deletion: ArtifactDeletion) {
    this.#storage = storage;
    this.#deletion = deletion;
  }

  find(run: number, key: string): Promise<Rendering | null> {
    return this.#read(under(run, key));
  }

  /** `pinned`: keeps the rendering as long as the result, because an explanation depends on it. */
  async render(
    worker: GpuWorker,
    run: Run,
    style: Style,
    input: RenderingJob['input'] | null,
    pinned: boolean,
  ): Promise<FoundRendering | JobError> {
    const key = await renderKey(run.submission.key, style);
    const name = under(run.number, key);
    const before = await this.#read(name);
    if (before?.pinned || (before && !pinned)) return { rendering: before, known: true };
    if (pinned && (await this.#list(run)).filter((each) => each.pinned).length >= mostPinned) return tooMany;
    if (before) return { rendering: await this.#pin(name, before, pinned), known: true };
    let underWay = this.#underWay.get(name);
    if (!underWay) {
      const nonce = newNonce();
      const job = renderingJobOf(run, artifactPrefix(renderingPrefix(run, key), nonce), style, input);
      const asked = this.#askWorker(worker, run, job, { key, pinned, mark: begun(run.number, nonce) });
      underWay = asked.finally(() => this.#underWay.delete(name));
      this.#underWay.set(name, underWay);
    }
    const rendering = await underWay;
    if ('code' in rendering) return rendering;
    return { rendering: await this.#pin(name, rendering, pinned), known: false };
  }

  /** Forgets all renderings of a run. @returns the prefixes where their pictures are, or may be */
  async forget(run: Run): Promise<string[]> {
    const open = await this.#storage.list<string>({ prefix: begun(run.number) });
    const known = await this.#storage.list<Rendering>({ prefix: under(run.number) });
    await Promise.all([...open.keys(), ...known.keys()].map((name) => this.#storage.delete(name)));
    // An earlier release stored the key of the rendering, whose pictures had no other place.
    const asked = [...open.values()].map((place) =>
      place.includes('/') ? place : renderingPrefix(run, place),
    );
    const written = [...known.values()].flatMap((rendering) => storedPrefix(rendering) ?? []);
    // Abandoned calls have deletions scheduled for when no worker can be writing any more; what is there now goes now.
    return [...new Set([...asked, ...written, ...this.#deletion.scheduledBelow(outputPrefix(run))])];
  }

  async #askWorker(
    worker: GpuWorker,
    run: Run,
    job: RenderingJob,
    { key, pinned, mark }: { readonly key: string; readonly pinned: boolean; readonly mark: string },
  ): Promise<Rendering | JobError> {
    const prefix = job.output_prefix;
    await this.#storage.put(mark, prefix);
    const rendered = await worker.render(job);
    if ('error' in rendered || !isBelow(rendered, prefix)) {
      const { error, begun } = 'error' in rendered ? rendered : { error: misplaced, begun: true };
      if (begun) await this.#deletion.schedule([prefix], Date.now() + lateWrites);
      await this.#storage.delete(mark);
      return error;
    }
    const rendering = { key, ...rendered, renderedAt: Date.now(), pinned };
    await this.#storage.put(under(run.number, key), rendering);
    await this.#storage.delete(mark);
    if (!pinned) await this.#makeRoom(run);
    return rendering;
  }

  async #read(name: string): Promise<Rendering | null> {
    const rendering = await this.#storage.get<Rendering>(name);
    return rendering ? { ...rendering, warnings: currentWarnings(rendering.warnings) } : null;
  }

  async #pin(name: string, rendering: Rendering, pinned: boolean): Promise<Rendering> {
    if (rendering.pinned || !pinned) return rendering;
    await this.#storage.put(name, { ...rendering, pinned });
    return { ...rendering, pinned };
  }

  async #makeRoom(run: Run): Promise<void> {
    const loose = (await this.#list(run)).filter(({ pinned }) => !pinned);
    const old = loose.toSorted((a, b) => b.renderedAt - a.renderedAt).slice(mostUnpinned);
    await this.#storage.delete(old.map(({ key }) => under(run.number, key)));
    await this.#deletion.schedule(
      old.flatMap((rendering) => storedPrefix(rendering) ?? []),
      Date.now(),
    );
  }

  async #list(run: Run): Promise<Rendering[]> {
    return [...(await this.#storage.list<Rendering>({ prefix: under(run.number) })).values()];
  }
}
