import { cacheKey } from '@whylight/contract';
import { computeUnits } from '../domain/compute-units.ts';
import { type Creation, styleOf, timesOf } from '../domain/creation.ts';
import { explanationQuestion } from '../domain/question.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { type Admission, isTerminal } from '../domain/run.ts';
import { isId } from '../domain/ulid.ts';
import { isResolved } from '../domain/unresolved.ts';
import { viewRun } from '../domain/waiters.ts';
import { endEvent } from '../domain/webhook-event.ts';
import type { Services } from '../services.ts';
import type { ExplanationRow } from '../storage/explanations.ts';
import { admitRequest } from './admit-request.ts';
import { chooseModel } from './choose-model.ts';
import { findPhoto } from './find-photo.ts';

/** Creates an explanation: resolves its question, and has the computation of that question answer it. An unresolved one is resolved. */
export async function createExplanation(
  services: Services,
  creation: Creation,
): Promise<{ row: ExplanationRow; admission: Admission }> {
  const { id, tenant, requestId, traceparent, asked, fresh } = creation;
  const { upload, sha256 } = await findPhoto(services, tenant, asked.input);
  const { device } = await services.catalogs.get();
  const model = await chooseModel(services, tenant, asked.model);
  const question = explanationQuestion(asked, sha256, model);
  const key = await cacheKey(tenant, question, device);
  const style = styleOf(asked);
  const { keepUntil, until } = timesOf(creation);
  const webhook = asked.webhook === undefined ? null : await findWebhook(services, tenant, asked.webhook);
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
  if (!row || !isResolved({ number: row.run })) throw notFound();
  // Here we notify only those who find a finished result, with its pictures; the computation notifies the others.
  const view = viewRun(admission.run, id);
  if (webhook !== null && admission.via === 'hit' && isTerminal(view))
    await services.webhookDeliveries(webhook).deliver({ tenant, id: webhook }, endEvent(id, view));
  return { row, admission };
}

/** @throws Refusal `resource_not_found` if the tenant has no such endpoint, `invalid_parameter` if it is disabled */
export async function findWebhook({ webhooks }: Services, tenant: string, id: string): Promise<string> {
  const endpoint = isId('whk', id) ? await webhooks.find(tenant, id) : null;
  if (endpoint?.status === 'enabled') return id;
  const message = endpoint ? 'The endpoint is disabled.' : 'The tenant has no such endpoint.';
  const code = endpoint ? 'invalid_parameter' : 'resource_not_found';
  throw new Refusal(code, `webhook: ${message}`, [{ pointer: '/webhook', code, message }]);
}
