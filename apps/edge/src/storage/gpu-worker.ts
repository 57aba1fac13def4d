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
  type WorkerRefusal,
  workerPaths,
  workerRefusalSchema,
} from '@whylight/contract';
import type { WorkerRegistryPort } from '../domain/ports.ts';
import type { NotRendered } from '../domain/rendering.ts';
import type { Settings } from '../env.ts';

/** No worker has begun. `busy`: one of them may take it later. `refused`: all that were asked refuse it, one for this reason. */
export type Declined =
  | { readonly outcome: 'busy'; readonly seconds: number }
  | { readonly outcome: 'unreachable' }
  | ({ readonly outcome: 'refused'; readonly status: number } & WorkerRefusal);

/** Answer to a validation: busy if other models had their turn in the worker's queue until the call was over. */
export type Examined =
  | Validation
  | { readonly outcome: 'busy'; readonly seconds: number }
  | { readonly outcome: 'unreachable' };

/** Answer of the workers to a job. */
export type Taken = { readonly outcome: 'accepted' } | Declined;

/**
 * Statuses of a worker that has not begun and never will: it is of another release, does not accept the signature, or lacks what
 * the call needs. Another worker may take the same call.
 */
const refusing: ReadonlySet<number> = new Set([400, 401, 404, 413, 421]);
/** Statuses of a worker that has no room now. */
const full: ReadonlySet<number> = new Set([429, 503]);

/** Most workers that are asked in turn before a call is declined. */
const mostCalls = 8;

const notRendered: JobError = {
  code: 'worker_unreachable',
  message: 'No worker could render the pictures.',
  retryable: true,
};

/** The workers, over signed HTTP. They share one address, at which a load balancer chooses one for each call. */
export class GpuWorker {
  readonly #settings: Settings;
  readonly #registry: () => Pick<WorkerRegistryPort, 'read'>;

  constructor(settings: Settings, registry: () => Pick<WorkerRegistryPort, 'read'>) {
    this.#settings = settings;
    this.#registry = registry;
  }

  async take(job: Job): Promise<Taken> {
    const answer = await this.#offer(workerPaths.jobs, JSON.stringify(job));
    if ('outcome' in answer) return answer;
    await answer.body?.cancel();
    if (answer.status === 202) return { outcome: 'accepted' };
    return { outcome: 'refused', status: answer.status, detail: `status ${answer.status}` };
  }

  /** Has a worker render pictures. A call that no worker begins with gives `NotRendered` too: the caller tries again. */
  async render(job: RenderingJob): Promise<Rendered | NotRendered> {
    const answer = await this.#offer(workerPaths.renderings, JSON.stringify(job), 30_000);
    if ('outcome' in answer) {
      if (answer.outcome === 'unreachable') return { error: notRendered, begun: true };
      return { error: answer.outcome === 'busy' ? notRendered : refusedRendering(answer), begun: false };
    }
    const body: unknown = await answer.json().catch(() => null);
    if (answer.ok) {
      const rendered = renderedSchema.safeParse(body);
      if (rendered.success) return rendered.data;
    }
    const told = jobErrorSchema.safeParse(body);
    return { error: answer.status === 422 && told.success ? told.data : notRendered, begun: true };
  }

  /**
   * The catalogue of one worker. The call names the gateway's address: so a worker learns where to report its presence.
   *
   * @throws when no worker answers, or not with a catalog.
   */
  async catalog(): Promise<Catalog> {
    const path = `${workerPaths.models}?gateway=${encodeURIComponent(this.#settings.PUBLIC_URL)}`;
    const response = await this.#call('GET', path, '');
    if (!response.ok) throw new Error(`GET ${workerPaths.models}: status ${response.status}`);
    return catalogSchema.parse(await response.json());
  }

  /** Has a tenant's model examined. It waits for its tenant's turn in the worker's queue. */
  async validate(model: ModelSource, requestId: string): Promise<Examined> {
    const body = JSON.stringify({ model, request_id: requestId });
    const answer = await this.#offer(workerPaths.validations, body, validationPatience);
    if ('outcome' in answer) return answer.outcome === 'busy' ? answer : { outcome: 'unreachable' };
    if (answer.ok) return validationSchema.parse(await answer.json());
    await answer.body?.cancel();
    return { outcome: 'unreachable' };
  }

  /** Asks one worker to load a tenant's model: for workers that report no presence. @returns whether a worker does that */
  async warm(model: ModelSource, requestId: string): Promise<boolean> {
    const answer = await this.#offer(workerPaths.warm, JSON.stringify({ model, request_id: requestId }));
    if ('outcome' in answer) return false;
    await answer.body?.cancel();
    return answer.status === 202;
  }

  /**
   * Offers a call to the workers in turn until one begins with it: to as many as report their presence, and at least to one. A worker
   * that does not answer may have begun, so then nobody else is asked.
   */
  async #offer(path: string, body: string, patience?: number): Promise<Response | Declined> {
    let declined: Declined = { outcome: 'unreachable' };
    for (let call = 1, most = 1; call <= most; call++) {
      const response = await this.#call('POST', path, body, patience).catch(() => null);
      if (response && !refusing.has(response.status) && !full.has(response.status) && response.status < 500)
        return response;
      const answer = await readDeclined(response);
      if (answer.outcome === 'unreachable') return answer;
      // If one worker refuses and another has no room, the call waits for room.
      if (declined.outcome !== 'busy') declined = answer;
      if (call === 1) most = Math.min(await this.#countWorkers(), mostCalls);
    }
    return declined;
  }

  async #countWorkers(): Promise<number> {
    return this.#registry()
      .read()
      .then(
        ({ count }) => count,
        () => 1,
      );
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

async function readDeclined(response: Response | null): Promise<Declined> {
  const body: unknown = await response?.json().catch(() => null);
  if (!response || (response.status >= 500 && !full.has(response.status))) return { outcome: 'unreachable' };
  const { status } = response;
  if (full.has(status)) return { outcome: 'busy', seconds: Number(response.headers.get('retry-after')) || 1 };
  const told = workerRefusalSchema.safeParse(body);
  const refusal: WorkerRefusal = told.success
    ? told.data
    : { detail: refusals.get(status) ?? `status ${status}` };
  console.warn(
    `worker ${refusal.worker ?? 'without a name'} refuses a call with status ${status}: ${refusal.detail}`,
  );
  return { outcome: 'refused', status, ...refusal };
}

/** Reasons of workers that name none. */
const refusals: ReadonlyMap<number, string> = new Map([
  [
    401,
    'the worker does not accept the signature: its secret or its clock is another than the gateway\u2019s',
  ],
  [404, 'the worker is of another release'],
]);

/** The error of a rendering that every worker refuses. If the job itself is wrong, no other release of the worker helps. */
function refusedRendering({ status, detail }: Declined & { outcome: 'refused' }): JobError {
  if (status === 400 || status === 413)
    return { code: 'internal', message: 'The worker refused to render the pictures.', retryable: false };
  return {
    code: 'internal',
    message: `The workers refused to render the pictures: ${detail}.`,
    retryable: true,
  };
}
