import { createHash } from 'node:crypto';
import type { Artifact, Look, Rendered, RenderingJob } from '@whylight/contract';
import { redraw, type Studio, type Visualization } from '@whylight/host';
import { JobFailure } from '../job-failure.ts';
import type { Storage } from '../storage/storage.ts';
import { shareOf } from './job-queue.ts';

/** Drawings at a time; they share the studio with the jobs. */
const concurrency = 2;
/** Drawings that may wait, and of those one tenant's. */
const limit = 32;
const limitOfOne = 16;
/** Milliseconds from its arrival in which a drawing must be done: then the gateway, which waits for 30 s, is gone. */
const patience = 25_000;

interface Waiting {
  readonly share: string;
  readonly enter: () => void;
}

/** Draws finished explanations in another look, in the studio's threads. Needs neither model nor GPU. */
export class Renderer {
  readonly #storage: Storage;
  readonly #studio: Studio;
  readonly #patience: number;
  readonly #waiting: Waiting[] = [];
  /** Tenants for whom something is being drawn, each as often. */
  readonly #running: string[] = [];

  constructor(storage: Storage, studio: Studio, milliseconds = patience) {
    this.#storage = storage;
    this.#studio = studio;
    this.#patience = milliseconds;
  }

  /** Whether this drawing would be sent away. */
  isFullFor(job: Pick<RenderingJob, 'output_prefix'>): boolean {
    const own = this.#waiting.filter(({ share }) => share === shareOf(job));
    return this.#waiting.length >= limit || own.length >= limitOfOne;
  }

  /** @throws JobFailure, InputError. @throws TimeoutError for what could not be drawn in time */
  async render(job: RenderingJob): Promise<Rendered> {
    const signal = AbortSignal.timeout(this.#patience);
    const share = shareOf(job);
    await new Promise<void>((enter) => {
      this.#waiting.push({ share, enter });
      this.#next();
    });
    try {
      signal.throwIfAborted();
      return await this.#draw(job, signal);
    } finally {
      this.#running.splice(this.#running.indexOf(share), 1);
      this.#next();
    }
  }

  /** Who has nothing drawn at the moment goes first, else who came first. */
  #next(): void {
    if (this.#running.length >= concurrency) return;
    const next = this.#waiting.find(({ share }) => !this.#running.includes(share)) ?? this.#waiting[0];
    if (!next) return;
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    this.#running.push(next.share);
    next.enter();
  }

  async #draw(job: RenderingJob, signal: AbortSignal): Promise<Rendered> {
    const [photo, attribution] = await Promise.all([this.#photo(job, signal), this.#array(job, signal)]);
    const again = {
      photo,
      attribution,
      result: job.result,
      language: job.look.language,
      visualization: visualizationOf(job.look),
    };
    const { overlay, heatmap, warnings } = await redraw(again, this.#studio);
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
