import { createHash } from 'node:crypto';
import { type Artifact, artifactContentTypes, type Rendered, type RenderingJob } from '@whylight/contract';
import { Budget, FairQueue, leavePlaces, type RenderPool, renderResult } from '@whylight/host';
import { JobFailure } from '../job-failure.ts';
import type { Storage } from '../storage/storage.ts';
import { tenantOf } from './job-queue.ts';

/** Renderings at a time; they share the pool's threads with the jobs. One tenant alone has two. */
const concurrency = 3;
const startGreed = 2;
/** Renderings that may wait, of all tenants. */
const limit = 32;
/** A tenant may wait with as many renderings as there are places left, times this: one tenant alone gets half of them. */
const waitGreed = 1;
/** Milliseconds from its arrival in which a rendering must be done: then the gateway, which waits for 30 s, is gone. */
const patience = 25_000;

const tooLate = new JobFailure('deadline_exceeded', 'the rendering was not done in time', true);

/** Renders finished explanations in another style, in the pool's threads. Needs neither model nor GPU. */
export class Renderer {
  readonly #storage: Storage;
  readonly #pool: RenderPool;
  readonly #patience: number;
  readonly #queue = new FairQueue({
    capacity: new Budget(concurrency),
    mayStart: leavePlaces(concurrency, startGreed),
    mayWait: leavePlaces(limit, waitGreed),
  });

  constructor(storage: Storage, pool: RenderPool, milliseconds = patience) {
    this.#storage = storage;
    this.#pool = pool;
    this.#patience = milliseconds;
  }

  /** Whether `render` has room for this rendering. */
  hasRoomFor(job: Pick<RenderingJob, 'output_prefix'>): boolean {
    return this.#queue.hasRoomFor({ owner: tenantOf(job), claim: 1 });
  }

  /** @throws JobFailure, also for a rendering that is not done in time. @throws InputError */
  async render(job: RenderingJob): Promise<Rendered> {
    const signal = AbortSignal.timeout(this.#patience);
    const task = { owner: tenantOf(job), claim: 1 };
    return this.#queue
      .run(task, () => this.#renderNow(job, signal), signal)
      .catch((error: unknown) => {
        throw signal.aborted ? tooLate : error;
      });
  }

  async #renderNow(job: RenderingJob, signal: AbortSignal): Promise<Rendered> {
    const [photo, attribution] = await Promise.all([
      this.#readPhoto(job, signal),
      this.#readAttribution(job, signal),
    ]);
    const explanation = { photo, attribution, result: job.result };
    const { overlay, heatmap, warnings } = await renderResult(
      explanation,
      job.style,
      this.#pool,
      tenantOf(job),
    );
    const put = async (name: 'overlay.png' | 'heatmap.png', bytes: Uint8Array): Promise<Artifact> => {
      const [object, sha256, content_type] = [
        job.output_prefix + name,
        sha256Of(bytes),
        artifactContentTypes[name],
      ];
      await this.#storage.put(object, bytes, { contentType: content_type, sha256 }, signal);
      return { name, object, sha256, bytes: bytes.byteLength, content_type };
    };
    const artifacts = await Promise.all([put('overlay.png', overlay), put('heatmap.png', heatmap)]);
    return { artifacts, warnings: [...warnings] };
  }

  async #readPhoto({ input, image }: RenderingJob, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.#storage.get(input.object, input.bytes, signal);
    if (sha256Of(bytes) === image) return bytes;
    throw new JobFailure('upload_mismatch', 'the uploaded photo is another one than was explained');
  }

  async #readAttribution({ attribution }: RenderingJob, signal: AbortSignal): Promise<Uint8Array> {
    const lost = new JobFailure('artifact_corrupt', 'the stored attribution is not what was written');
    const bytes = await this.#storage
      .get(attribution.object, attribution.bytes, signal)
      .catch((error: unknown) => {
        const gone = error instanceof JobFailure && !error.error.retryable;
        throw gone ? lost : error;
      });
    if (sha256Of(bytes) !== attribution.sha256) throw lost;
    return bytes;
  }
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
