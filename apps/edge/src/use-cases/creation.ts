import { cacheKey, type ExplanationAsked } from '@whylight/contract';
import { computeUnits } from '../domain/compute-units.ts';
import { explanationQuestion } from '../domain/question.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Boarding } from '../domain/run.ts';
import { isId } from '../domain/ulid.ts';
import { endOf } from '../domain/webhook-event.ts';
import type { Services } from '../services.ts';
import type { ExplanationRow } from '../storage/explanations.ts';
import { chooseModel } from './own-models.ts';
import { board, findInput } from './submission.ts';

export interface Creation {
  /** Of the explanation: given from outside, so that a repetition makes the same one. */
  readonly id: string;
  readonly tenant: string;
  readonly requestId: string;
  readonly traceparent?: string | undefined;
  readonly asked: ExplanationAsked;
  /** Whether what is known already is to be computed again. */
  readonly fresh: boolean;
  /** Milliseconds after which it is to be given up. */
  readonly cancelAfter: number | null;
}

/** Makes an explanation: settles the question, and gets it onto the computation that answers it. */
export async function createExplanation(
  services: Services,
  { id, tenant, requestId, traceparent, asked, fresh, cancelAfter }: Creation,
): Promise<{ row: ExplanationRow; boarding: Boarding }> {
  const { upload, sha256 } = await findInput(services, tenant, asked.input);
  const { device } = await services.catalogs.get();
  const model = await chooseModel(services, tenant, asked.model);
  const question = explanationQuestion(asked, sha256, model);
  const key = await cacheKey(tenant, question, device);
  const look = { visualization: asked.output.visualization, language: asked.language };
  const now = Date.now();
  const keepUntil = now + asked.retention_seconds * 1000;
  const webhook = asked.webhook === undefined ? null : await findWebhook(services, tenant, asked.webhook);
  const until = cancelAfter === null ? null : now + cancelAfter;
  const pass = { id, look, keepUntil, until, webhook };
  const units = computeUnits(question, model.input_shape);
  const own = model.own ? model.id : null;
  const results = await services.names.results(tenant, key);
  const wanted = { key, tenant, question, look, requestId, traceparent, units, model: own, results };
  // What a network that throws dice has said once is not what it says now.
  const boarding = await board(services, wanted, upload, fresh || !model.deterministic, pass);
  const given = {
    id,
    tenant,
    key,
    run: boarding.run.number,
    cache_status: boarding.via,
    model_name: model.name,
    model_id: model.id,
    request_id: requestId,
    expires_at: new Date(keepUntil).toISOString(),
    look,
    metadata: asked.metadata,
  };
  // For what was known nobody has looked whether the photo is still there.
  const row = await services.explanations.create(given, boarding.via === 'hit' ? upload : null);
  if (!row) throw notFound();
  // Whoever finds the answer there is told by us; of the rest the computation knows.
  if (webhook !== null && boarding.via === 'hit')
    await services.webhookDeliveries(webhook).deliver({ tenant, id: webhook }, endOf(id, boarding.run));
  return { row, boarding };
}

/** @throws Refusal `resource_not_found` unless there is such an endpoint, and it is enabled. */
async function findWebhook({ webhooks }: Services, tenant: string, id: string): Promise<string> {
  const endpoint = isId('whk', id) ? await webhooks.find(tenant, id) : null;
  if (endpoint?.status === 'enabled') return id;
  const message = endpoint ? 'The endpoint is disabled.' : 'There is no such endpoint.';
  const code = endpoint ? 'invalid_parameter' : 'resource_not_found';
  throw new Refusal(code, `webhook: ${message}`, [{ pointer: '/webhook', code, message }]);
}
