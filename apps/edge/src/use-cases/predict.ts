import { cacheKey, ownStyle, type Result, retention } from '@whylight/contract';
import { refusalOfJob } from '../domain/job-refusal.ts';
import type { Explainable } from '../domain/model.ts';
import { predictionQuestion } from '../domain/question.ts';
import { Refusal } from '../domain/refusal.ts';
import { type Admission, isTerminal } from '../domain/run.ts';
import type { Services } from '../services.ts';
import { admitRequest } from './admit-request.ts';
import { findUpload } from './arrivals.ts';
import type { Photo } from './find-photo.ts';

interface Asked {
  readonly tenant: string;
  readonly requestId: string;
  readonly photo: Photo;
  readonly model: Explainable;
  /** Unix time in milliseconds until which to wait for the prediction. */
  readonly until: number;
}

interface Predicted {
  readonly result: Result;
  readonly via: Admission['via'];
  readonly key: string;
}

/**
 * Has a worker predict the classes of a photo, or finds the prediction of an earlier request.
 *
 * @throws Refusal why the job failed, or `capacity` if it has not ended in time
 */
export async function predict(services: Services, asked: Asked): Promise<Predicted> {
  const { tenant, requestId, photo, model, until } = asked;
  const { device } = await services.catalogs.get();
  const question = predictionQuestion(photo.sha256, model);
  const key = await cacheKey(tenant, question, device);
  const style = ownStyle();
  const keepUntil = Date.now() + retention.usual * 1000;
  const request = { id: requestId, style, keepUntil, until: null, webhook: null };
  const own = model.own ? model.id : null;
  const results = await services.names.results(tenant, key);
  const wanted = { key, tenant, question, style, requestId, units: 1, model: own, results };
  const admission = await admitRequest(services, wanted, photo.upload, !model.deterministic, request);
  const { run: admitted, via } = admission;
  // If the result was known, nobody has checked yet that the photo still exists.
  if (photo.upload !== null && via === 'hit') await findUpload(services, tenant, photo.upload);
  const left = Math.max(0, until - Date.now()) / 1000;
  const run = isTerminal(admitted)
    ? admitted
    : await services.computation(key).watch(admitted.number, requestId, null, left);
  if (run?.error) throw refusalOfJob(run.error);
  if (!run?.result)
    throw new Refusal('capacity', 'The prediction has not ended yet. Send the request again to get it.');
  return { result: run.result, via, key };
}
