import {
  cacheKey,
  ownStyle,
  predictionRequestSchema,
  predictionsSchema,
  retention,
} from '@whylight/contract';
import { cacheStatus } from '../domain/cache-status.ts';
import { refusalOfJob, refusalsOfJobs } from '../domain/job-refusal.ts';
import { preferredWait } from '../domain/prefer.ts';
import { predictionQuestion } from '../domain/question.ts';
import { Refusal } from '../domain/refusal.ts';
import { isTerminal } from '../domain/run.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { admitRequest } from '../use-cases/admit-request.ts';
import { findUpload } from '../use-cases/arrivals.ts';
import { awaitCatalog } from '../use-cases/await-catalog.ts';
import { chooseModel } from '../use-cases/choose-model.ts';
import { findPhoto } from '../use-cases/find-photo.ts';

/** Seconds for which a request waits for its prediction by default. */
const usualWait = 30;

export const predictions = routes('predictions');

predictions.route('POST', '/v1/predictions', {
  id: 'predictions.create',
  access: 'explanations:write',
  refuses: refusalsOfJobs,
  summary:
    'Get the classes that the model predicts; the first request costs one compute unit, and a repeated request is free',
  headers: {
    prefer: `\`wait=n\`: the service waits at most n seconds for the prediction; by default it waits ${usualWait}`,
  },
  body: predictionRequestSchema,
  responses: { 200: json(predictionsSchema, 'The body has the likeliest classes', ['Cache-Status']) },
  handler: async ({ tenant, services, requestId, headers, body }) => {
    const { upload, sha256 } = await findPhoto(services, tenant, body.input);
    const wait = preferredWait(headers.prefer) ?? usualWait;
    const end = Date.now() + wait * 1000;
    const { device } = await awaitCatalog(services, `${tenant}/${sha256}`, wait);
    const model = await chooseModel(services, tenant, body.model);
    const question = predictionQuestion(sha256, model);
    const key = await cacheKey(tenant, question, device);
    const style = ownStyle();
    const keepUntil = Date.now() + retention.usual * 1000;
    const request = { id: requestId, style, keepUntil, until: null, webhook: null };
    const own = model.own ? model.id : null;
    const results = await services.names.results(tenant, key);
    const wanted = { key, tenant, question, style, requestId, units: 1, model: own, results };
    const admission = await admitRequest(services, wanted, upload, !model.deterministic, request);
    const { run: admitted, via } = admission;
    // If the result was known, nobody has checked yet that the photo still exists.
    if (upload !== null && via === 'hit') await findUpload(services, tenant, upload);
    const left = Math.max(0, end - Date.now()) / 1000;
    const run = isTerminal(admitted)
      ? admitted
      : await services.computation(key).watch(admitted.number, requestId, null, left);
    if (run?.error) throw refusalOfJob(run.error);
    if (!run?.result)
      throw new Refusal('capacity', 'The prediction has not ended yet. Send the request again to get it.');
    const { task, predictions: best, warnings } = run.result;
    return {
      status: 200,
      headers: { 'Cache-Status': cacheStatus[via] },
      body: {
        object: 'predictions' as const,
        input: { sha256 },
        model: { id: model.id, name: model.name, digest: model.digest },
        task,
        predictions: best.slice(0, body.top_k),
        cache: { status: via, key: `sha256:${key}` },
        warnings,
        request_id: requestId,
      },
    };
  },
});
