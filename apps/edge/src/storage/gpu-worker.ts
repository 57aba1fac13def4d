import {
  type Catalog,
  catalogSchema,
  type Job,
  type JobError,
  jobErrorSchema,
  type ModelSource,
  type Rendered,
  type RenderingJob,
  renderedSchema,
  sign,
  type Validation,
  validationPatience,
  validationSchema,
  workerPaths,
} from '@whylight/contract';
import type { NotRendered } from '../domain/rendering.ts';
import type { Settings } from '../env.ts';

/** Answer of a worker to a job. */
export type Taken =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'busy'; readonly seconds: number }
  | { readonly outcome: 'unreachable' }
  | { readonly outcome: 'refused'; readonly status: number };

/** Answer to a validation: busy if other models had their turn in the worker's queue until the call was over. */
export type Examined =
  | Validation
  | { readonly outcome: 'busy'; readonly seconds: number }
  | { readonly outcome: 'unreachable' };

/** Statuses of a worker that has not begun: it is full, of another release, or rejects the caller's signature. */
const declining: ReadonlySet<number | undefined> = new Set([400, 401, 404, 413, 503]);

const notRendered: JobError = {
  code: 'worker_unreachable',
  message: 'No worker could render the pictures.',
  retryable: true,
};

const refused: JobError = {
  code: 'internal',
  message: 'The worker refused to render the pictures.',
  retryable: true,
};

/** The worker, over signed HTTP. */
export class GpuWorker {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async take(job: Job): Promise<Taken> {
    const response = await this.#call('POST', workerPaths.jobs, JSON.stringify(job)).catch(() => null);
    await response?.body?.cancel();
    if (response?.status === 202) return { outcome: 'accepted' };
    if (response?.status === 503 || response?.status === 429)
      return { outcome: 'busy', seconds: Number(response.headers.get('retry-after')) || 1 };
    // 404: a worker of an earlier release, which would not claim the attempt. It may be replaced at this moment.
    if (!response || response.status === 404 || response.status >= 500) return { outcome: 'unreachable' };
    return { outcome: 'refused', status: response.status };
  }

  /** Has a worker render pictures. A worker that does not answer gives `NotRendered` too: there is no other to wait for. */
  async render(job: RenderingJob): Promise<Rendered | NotRendered> {
    const response = await this.#call('POST', workerPaths.renderings, JSON.stringify(job), 30_000).catch(
      () => null,
    );
    const body: unknown = await response?.json().catch(() => null);
    if (response?.ok) {
      const rendered = renderedSchema.safeParse(body);
      if (rendered.success) return rendered.data;
    }
    const told = jobErrorSchema.safeParse(body);
    if (response?.status === 422 && told.success) return { error: told.data, begun: true };
    // The job is not what a worker of this release expects.
    const isRefused = response?.status === 400 || response?.status === 413;
    return { error: isRefused ? refused : notRendered, begun: !declining.has(response?.status) };
  }

  /** Tells the worker that nobody wants this attempt any more. It may be elsewhere, or not listen: no harm. */
  async drop(key: string, attempt: number): Promise<void> {
    const path = `${workerPaths.jobs}/${key}?attempt=${attempt}`;
    const response = await this.#call('DELETE', path, '').catch(() => null);
    await response?.body?.cancel();
  }

  /** @throws when no worker answers, or not with a catalog. */
  async catalog(): Promise<Catalog> {
    const response = await this.#call('GET', workerPaths.models, '');
    if (!response.ok) throw new Error(`GET ${workerPaths.models}: status ${response.status}`);
    return catalogSchema.parse(await response.json());
  }

  /** Has a tenant's model examined. It waits for its tenant's turn in the worker's queue. */
  async validate(model: ModelSource, requestId: string): Promise<Examined> {
    const body = JSON.stringify({ model, request_id: requestId });
    const response = await this.#call('POST', workerPaths.validations, body, validationPatience).catch(
      () => null,
    );
    if (response?.ok) return validationSchema.parse(await response.json());
    await response?.body?.cancel();
    if (response?.status !== 429) return { outcome: 'unreachable' };
    return { outcome: 'busy', seconds: Number(response.headers.get('retry-after')) || 1 };
  }

  /** Asks a worker to load a tenant's model. @returns whether a worker does that */
  async warm(model: ModelSource, requestId: string): Promise<boolean> {
    const body = JSON.stringify({ model, request_id: requestId });
    const response = await this.#call('POST', workerPaths.warm, body).catch(() => null);
    await response?.body?.cancel();
    return response?.status === 202;
  }

  async #call(method: string, path: string, body: string, patience = 10_000): Promise<Response> {
    const url = new URL(this.#settings.WORKER_URL.replace(/\/$/, '') + path);
    const call = { direction: 'gateway-to-worker', method, path: url.pathname + url.search, body } as const;
    const headers = await sign(this.#settings.WORKER_SECRET, call, Date.now() / 1000);
    return fetch(url, {
      method,
      headers: { ...headers, ...(body ? { 'Content-Type': 'application/json' } : {}) },
      ...(body ? { body } : {}),
      redirect: 'manual',
      signal: AbortSignal.timeout(patience),
    });
  }
}
