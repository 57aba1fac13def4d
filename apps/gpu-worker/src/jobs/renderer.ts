import { createHash } from 'node:crypto';
import type { Artifact, Look, Rendered, RenderingJob } from '@whylight/contract';
import { redraw, type Visualization } from '@whylight/host';
import { JobFailure } from '../job-failure.ts';
import type { Storage } from '../storage/storage.ts';

/** Drawings at a time; they share the processor with everything else that the worker does. */
const concurrency = 2;
/** Drawings that may wait, and the longest time for one, in milliseconds. */
const limit = 32;
const patience = 20_000;

/** Draws finished explanations in another look. Needs neither model nor GPU. */
export class Renderer {
  readonly #storage: Storage;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Whether the next drawing would be sent away. */
  get full(): boolean {
    return this.#waiting.length >= limit;
  }

  /** @throws JobFailure, InputError */
  async render(job: RenderingJob): Promise<Rendered> {
    if (this.#running >= concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    try {
      return await this.#draw(job, AbortSignal.timeout(patience));
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #draw(job: RenderingJob, signal: AbortSignal): Promise<Rendered> {
    const [photo, attribution] = await Promise.all([this.#photo(job, signal), this.#array(job, signal)]);
    const { overlay, heatmap, warnings } = await redraw({
      photo,
      attribution,
      result: job.result,
      language: job.look.language,
      visualization: visualizationOf(job.look),
    });
    const put = async (name: 'overlay.png' | 'heatmap.png', bytes: Uint8Array): Promise<Artifact> => {
      const [object, sha256, content_type] = [job.output_prefix + name, sha256Of(bytes), 'image/png'];
      await this.#storage.put(object, bytes, { contentType: content_type, sha256 }, signal);
      return { name, object, sha256, bytes: bytes.byteLength, content_type };
    };
    const artifacts = await Promise.all([put('overlay.png', overlay), put('heatmap.png', heatmap)]);
    return { artifacts, warnings: [...warnings] };
  }

  async #photo({ input, image }: RenderingJob, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.#storage.get(input.object, input.bytes, signal);
    if (sha256Of(bytes) === image) return bytes;
    throw new JobFailure('upload_mismatch', 'the uploaded photo is another one than was explained');
  }

  async #array({ attribution }: RenderingJob, signal: AbortSignal): Promise<Uint8Array> {
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

/** A look as the drawing side has it. */
export function visualizationOf({ visualization }: Look): Visualization {
  const { clip_percent_lowerbound: lower, clip_percent_upperbound: upper } = visualization;
  return {
    polarity: visualization.polarity ?? undefined,
    colormap: visualization.color_map ?? undefined,
    opacity: visualization.opacity ?? undefined,
    clip: lower === null && upper === null ? undefined : [lower ?? 0, upper ?? 100],
    backdrop: visualization.overlay_type,
    outlines: visualization.type === 'outlines',
  };
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
