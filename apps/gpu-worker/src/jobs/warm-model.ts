import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelSource } from '@whylight/contract';
import type { TenantModels } from '../isolation/tenant-models.ts';
import { jobErrorOf } from '../job-failure.ts';
import { storeFieldsOf } from '../storage/store-failure.ts';
import type { Log } from '../telemetry/log.ts';

/** A request to load a tenant's model. */
interface WarmRequest {
  readonly model: ModelSource;
  readonly request_id: string;
}

/** Longest time in which a model is loaded, and in which a request waits for another model to be loaded, in milliseconds. */
const patience = 120_000;
/** Milliseconds between two looks at whether another model is still being loaded. */
const pause = 250;

/** Loads a tenant's model for the jobs to come, after another one that is being loaded. Never rejects. */
export async function warmModel(
  tenantModels: Pick<TenantModels, 'mayWarm' | 'warm'>,
  { model, request_id }: WarmRequest,
  log: Log,
): Promise<void> {
  try {
    const late = AbortSignal.timeout(patience);
    while (!tenantModels.mayWarm(model)) await sleep(pause, undefined, { signal: late });
    await tenantModels.warm(model, AbortSignal.timeout(patience));
    log('model_warm', { request_id, model: model.id });
  } catch (error) {
    const { code } = jobErrorOf(error);
    log('model_not_warm', { request_id, model: model.id, code, ...storeFieldsOf(error) });
  }
}
