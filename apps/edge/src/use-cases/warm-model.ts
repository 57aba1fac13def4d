import type { ModelSource } from '@whylight/contract';
import type { Services } from '../services.ts';

/**
 * Has every ready worker load a tenant's model, because each may get the next job. Of workers that report no presence, one loads it.
 *
 * @returns whether any worker loads it
 */
export async function warmModel(
  { worker, workerRegistry }: Services,
  model: ModelSource,
  requestId: string,
): Promise<boolean> {
  const count = await workerRegistry().orderAll({ order: 'warm', model, request_id: requestId });
  return count > 0 || worker.warm(model, requestId);
}
