import {
  checkSignature,
  clockFault,
  jobSchema,
  modelCallSchema,
  renderingJobSchema,
  type WorkerRefusal,
  workerPaths,
  type workerRefusalCodes,
} from '@whylight/contract';
import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { every } from 'hono/combine';
import type { ZodError } from 'zod';
import { jobErrorOf } from './job-failure.ts';
import type { Presence } from './jobs/presence.ts';
import { findRefusal } from './jobs/question-check.ts';
import type { Renderer } from './jobs/renderer.ts';
import { warmModel } from './jobs/warm-model.ts';
import { healthOf, type State } from './state.ts';
import { storeFieldsOf } from './storage/store-failure.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface AppSettings {
  /** The name of this worker. */
  readonly worker: string;
  /** The secrets with which the gateway may sign. */
  readonly secrets: readonly string[];
  readonly presence: Pick<Presence, 'fault' | 'learn'>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly state: () => State;
  readonly renderer: Renderer;
}

/** Longest body of a call: that of a model with tens of thousands of class names. */
export const largestCall = 2 * 2 ** 20;

type Variables = { Variables: { body: string } };

type RefusalCode = (typeof workerRefusalCodes)[number];

/**
 * The worker's HTTP side. Jobs and models need the gateway's signature. A signature holds for some minutes and may
 * be sent again in that time: that is harmless, because a job that was taken before is not run again.
 */
export function createApp(settings: AppSettings): Hono<Variables> {
  const { worker, secrets, presence, metrics, log, state, renderer } = settings;
  /** The body of a refusal of what another worker may take. */
  const refusal = (code: RefusalCode, detail: string): WorkerRefusal => ({ code, detail, worker });
  const verified: MiddlewareHandler<Variables> = async (c, next) => {
    const body = await c.req.text();
    const { pathname, search } = new URL(c.req.url);
    const call = {
      direction: 'gateway-to-worker',
      method: c.req.method,
      path: pathname + search,
      body,
    } as const;
    const check = await checkSignature(secrets, call, c.req.raw.headers, Date.now() / 1000);
    if (check.outcome === 'unsigned') {
      log('call_refused', { path: pathname, reason: 'signature' });
      return c.json(refusal('invalid_signature', 'the signature is missing or wrong'), 401);
    }
    // An old call may have been captured and sent again. It names the gateway all the same, which then says whose clock is wrong.
    const gateway = c.req.query('gateway') ?? gatewayIn(body);
    if (gateway !== undefined) presence.learn(gateway);
    if (check.outcome === 'wrong_clock') {
      log('call_refused', { path: pathname, reason: 'clock', seconds: Math.round(check.seconds) });
      // Seen from here, the gateway's clock differs.
      return c.json(refusal('wrong_clock', clockFault(-check.seconds)), 401);
    }
    c.set('body', body);
    return next();
  };
  const signed = every(
    bodyLimit({ maxSize: largestCall, onError: (c) => c.json(problem('body too large'), 413) }),
    verified,
  ) as MiddlewareHandler<Variables>;
  const usable: MiddlewareHandler<Variables> = async (c, next) => {
    const { fault } = presence;
    return fault === null ? next() : c.json(refusal('worker_not_ready', fault), 421);
  };
  const work = every(signed, usable) as MiddlewareHandler<Variables>;
  const later = (seconds: number) => ({ 'Retry-After': String(seconds) });

  return new Hono<Variables>()
    .post(workerPaths.jobs, work, (c) => {
      const job = jobSchema.safeParse(json(c.var.body));
      if (!job.success) return c.json(problem(`job: ${complaintOf(job.error)}`), 400);
      const now = state();
      if (now.phase === 'starting' || now.phase === 'failed')
        return c.json(problem(`the worker is ${now.phase}`), 503, later(5));
      const { request_id, key, attempt } = job.data;
      const reason = findRefusal(job.data, now.registry);
      if (reason) {
        log('job_refused', { request_id, key, attempt, code: reason.code, message: reason.message });
        return c.json(refusal(reason.code as RefusalCode, reason.message), 421);
      }
      const offered = now.queue.offer(job.data);
      log('job_offered', { request_id, key, attempt, offered });
      if (offered === 'full') return c.json(problem('the queue is full'), 503, later(2));
      if (offered === 'closed') return c.json(problem('the worker is shutting down'), 503, later(5));
      if (offered === 'taken') metrics.accepted.inc();
      return c.json({ status: offered }, 202);
    })
    .on('POST', earlierJobs, signed, (c) => c.json(problem(earlierGateway), 503, later(5)))
    .post(workerPaths.renderings, work, async (c) => {
      if (state().phase === 'starting') return c.json(problem('the worker is starting'), 503, later(5));
      const job = renderingJobSchema.safeParse(json(c.var.body));
      if (!job.success) {
        const { path, message } = job.error.issues[0]!;
        return c.json(problem(`rendering: ${path.join('.')}: ${message}`), 400);
      }
      if (!renderer.hasRoomFor(job.data)) return c.json(problem('too many renderings wait'), 503, later(2));
      const { request_id } = job.data;
      try {
        const rendered = await renderer.render(job.data);
        metrics.renderings.inc();
        return c.json(rendered, 200);
      } catch (error) {
        const jobError = jobErrorOf(error);
        log('rendering_failed', {
          ...{ request_id, code: jobError.code, cause: (error as Error).stack },
          ...storeFieldsOf(error),
        });
        return c.json(jobError, 422);
      }
    })
    .get(workerPaths.models, signed, (c) => {
      const now = state();
      return 'catalog' in now
        ? c.json(now.catalog)
        : c.json(problem(`the worker is ${now.phase}`), 503, later(2));
    })
    .post(workerPaths.validations, work, async (c) => {
      const asked = modelCallSchema.safeParse(json(c.var.body));
      if (!asked.success) return c.json(problem(`validation: ${complaintOf(asked.error)}`), 400);
      const now = state();
      if (now.phase !== 'ready') return c.json(problem(`the worker is ${now.phase}`), 503, later(5));
      const { model, request_id } = asked.data;
      log('model_offered', { request_id, model: model.id });
      try {
        const validation = await now.tenantModels.validate(model, c.req.raw.signal);
        if (!validation) return c.json(problem('other models have their turn first'), 429, later(1));
        log('model_examined', { request_id, model: model.id, outcome: validation.outcome });
        return c.json(validation);
      } catch (error) {
        const { code, message } = jobErrorOf(error);
        log('model_not_examined', { request_id, model: model.id, code, ...storeFieldsOf(error) });
        return c.json({ code, detail: message }, code === 'model_deleted' ? 404 : 503, later(5));
      }
    })
    .post(workerPaths.warm, work, (c) => {
      const asked = modelCallSchema.safeParse(json(c.var.body));
      if (!asked.success) return c.json(problem(`warm: ${complaintOf(asked.error)}`), 400);
      const now = state();
      if (now.phase !== 'ready') return c.json(problem(`the worker is ${now.phase}`), 503, later(5));
      if (!now.tenantModels.mayWarm(asked.data.model))
        return c.json(problem('another model is being got ready'), 503, later(2));
      void warmModel(now.tenantModels, asked.data, log);
      return c.json({ status: 'warming' }, 202);
    })
    .get('/health', (c) => c.json(healthOf(state(), presence.fault)))
    .get('/livez', (c) => (state().phase === 'failed' ? c.text('failed', 503) : c.text('ok')))
    .get('/readyz', (c) => {
      const now = state();
      if (now.phase === 'starting' && now.reason !== undefined)
        return c.text(`not ready: ${now.reason}`, 503);
      if (now.phase !== 'ready') return c.text(now.phase, 503);
      return presence.fault === null ? c.text('ok') : c.text(`not ready: ${presence.fault}`, 503);
    })
    .get('/metrics', async (c) => {
      const now = state();
      metrics.ready.set(now.phase === 'ready' && presence.fault === null ? 1 : 0);
      metrics.waiting.set('queue' in now ? now.queue.waiting : 0);
      const held = 'tenantModels' in now ? now.tenantModels.held : { count: 0, size: 0 };
      metrics.modelProcesses.set(held.count);
      metrics.modelBytes.set(held.size);
      metrics.running.set('queue' in now ? now.queue.running : 0);
      return c.text(await metrics.registry.metrics(), 200, { 'Content-Type': metrics.registry.contentType });
    })
    .notFound((c) => c.json(problem('no such path'), 404))
    .onError((error, c) => {
      log('call_failed', { cause: error.stack });
      return c.json(problem('the worker failed on this call'), 500);
    });
}

/**
 * Paths at which gateways of earlier releases post jobs. Their attempts cannot be claimed (v1), or their questions name
 * no numerics version (v2) or no score (v3), or they know no hand-back (v4). These gateways keep the jobs until they are replaced.
 */
const earlierJobs = ['/v1/jobs', '/v2/jobs', '/v3/jobs', '/v4/jobs'];
const earlierGateway = `this worker takes jobs at ${workerPaths.jobs}: the gateway is of an earlier release`;

const complaintOf = ({ issues: [issue] }: ZodError): string => `${issue!.path.join('.')}: ${issue!.message}`;

const problem = (detail: string) => ({ detail });

/** The address of the gateway that a job names. */
function gatewayIn(body: string): string | undefined {
  const job = json(body) as { readonly claim_url?: unknown } | null | undefined;
  return typeof job?.claim_url === 'string' ? job.claim_url : undefined;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
