import { predictionRequestSchema } from '@whylight/contract';
import { checkMembers, type Members, parsed } from '@whylight/contract/kserve';
import { z } from 'zod';

const schema = z.strictObject({ top_k: predictionRequestSchema.shape.top_k });

/** Reads how many of the likeliest classes a prediction lists, as in the API's own request. @throws KServeFault */
export function topKOf(parameters: Members, where: string): number {
  checkMembers(parameters, Object.keys(schema.shape), where);
  return parsed(schema, parameters, where).top_k;
}
