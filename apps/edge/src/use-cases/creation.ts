import { cacheKey, type ExplanationAsked, styleOf } from '@whylight/contract';
import { attributionKindOf } from '@whylight/core/methods';
import { computeUnits } from '../domain/compute-units.ts';
import { explanationQuestion } from '../domain/question.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { type Admission, isTerminal } from '../domain/run.ts';
import { isId } from '../domain/ulid.ts';
import { viewRun } from '../domain/waiters.ts';
import { endEvent } from '../domain/webhook-event.ts';
import type { Services } from '../services.ts';
import type { ExplanationRow } from '../storage/explanations.ts';
import { admitRequest } from './admit-request.ts';
import { chooseModel } from './choose-model.ts';
import { findPhoto } from './find-photo.ts';

export interface Creation {
  /** Id of the explanation; the caller chooses it, so that a repeated request creates the same explanation. */
  readonly id: string;
  readonly tenant: string;
  readonly requestId: string;
  readonly traceparent?: string | undefined;
  readonly asked: ExplanationAsked;
  /** Whether to compute a known result again. */
  readonly fresh: boolean;
  /** Milliseconds after which to cancel the explanation; null: never. */
  readonly cancelAfter: number | null;
}

/** Creates an explanation: resolves its question, and has the computation of that question answer it. */
export async function createExplanation(
  services: Services,
  { id, tenant, requestId, traceparent, asked, fresh, cancelAfter }: Creation,
): Promise<{ row: ExplanationRow; admission: Admission }> {
  const { upload, sha256 } = await findPhoto(services, tenant, asked.input);
  const { device } = await services.catalogs.get();
  const model = await chooseModel(services, tenant, asked.model);
  const question = explanationQuestion(asked, sha256, model);
  const key = await cacheKey(tenant, question, device);
  const { isPixels } = attributionKindOf(question.method);
  const style = styleOf(asked.output.visualization, asked.language, isPixels);
  const now = Date.now();
  const keepUntil = now + asked.retention_seconds * 1000;
  const webhook = asked.webhook === undefined ? null : await findWebhook(services, tenant, asked.webhook);
  const until = cancelAfter === null ? null : now + cancelAfter;
  const request = { id, style, keepUntil, until, webhook };
  const units = computeUnits(question, model.input_shape);
  const own = model.own ? model.id : null;
  const results = await services.names.results(tenant, key);
  const wanted = { key, tenant, question, style, requestId, traceparent, units, model: own, results };
  // A network with random numbers gives another answer each time.
  const admission = await admitRequest(services, wanted, upload, fresh || !model.deterministic, request);
  const fields = {
    id,
    tenant,
    key,
    run: admission.run.number,
    cache_status: admission.via,
    model_name: model.name,
    model_id: model.id,
    request_id: requestId,
    expires_at: new Date(keepUntil).toISOString(),
    style,
    metadata: asked.metadata,
  };
  // If the result was known, nobody has checked yet that the photo still exists.
  const row = await services.explanations.create(fields, admission.via === 'hit' ? upload : null);
  if (!row) throw notFound();
  // Here we notify only those who find a finished result, with its pictures; the computation notifies the others.
  const view = viewRun(admission.run, id);
  if (webhook !== null && admission.via === 'hit' && isTerminal(view))
    await services.webhookDeliveries(webhook).deliver({ tenant, id: webhook }, endEvent(id, view));
  return { row, admission };
}

/** @throws Refusal `resource_not_found` if the tenant has no such endpoint, `invalid_parameter` if it is disabled */
async function findWebhook({ webhooks }: Services, tenant: string, id: string): Promise<string> {
  const endpoint = isId('whk', id) ? await webhooks.find(tenant, id) : null;
  if (endpoint?.status === 'enabled') return id;
  const message = endpoint ? 'The endpoint is disabled.' : 'The tenant has no such endpoint.';
  const code = endpoint ? 'invalid_parameter' : 'resource_not_found';
  throw new Refusal(code, `webhook: ${message}`, [{ pointer: '/webhook', code, message }]);
}
