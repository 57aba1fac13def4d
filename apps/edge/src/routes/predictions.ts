import { predictionRequestSchema, predictionsSchema } from '@whylight/contract';
import { cacheStatus } from '../domain/cache-status.ts';
import { refusalsOfJobs } from '../domain/job-refusal.ts';
import { preferredWait } from '../domain/prefer.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { awaitCatalog } from '../use-cases/await-catalog.ts';
import { chooseModel } from '../use-cases/choose-model.ts';
import { findPhoto } from '../use-cases/find-photo.ts';
import { predict } from '../use-cases/predict.ts';

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
    const photo = await findPhoto(services, tenant, body.input);
    const wait = preferredWait(headers.prefer) ?? usualWait;
    const until = Date.now() + wait * 1000;
    await awaitCatalog(services, `${tenant}/${photo.sha256}`, wait);
    const model = await chooseModel(services, tenant, body.model);
    const { result, via, key } = await predict(services, { tenant, requestId, photo, model, until });
    const { task, predictions: best, warnings } = result;
    return {
      status: 200,
      headers: { 'Cache-Status': cacheStatus[via] },
      body: {
        object: 'predictions' as const,
        input: { sha256: photo.sha256 },
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
