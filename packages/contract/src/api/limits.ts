import { z } from 'zod';
import { page } from '../wire.ts';

const most = z.int().min(0).max(1_000_000_000);

export const limitsRequestSchema = z
  .strictObject({
    requests: most.optional().describe('Requests in any 60 seconds'),
    concurrency: most.optional().describe('Computations that wait or run at a time'),
    compute_units: most.optional().describe('Compute units in a day (UTC): runs of a network on a picture'),
    batches: most.optional().describe('Batches at a time of which something waits for a place'),
  })
  .meta({ id: 'LimitsRequest' });

export const limitsSchema = z
  .object({
    object: z.literal('limits'),
    requests: z.object({
      limit: z.int(),
      window_seconds: z.int(),
      remaining: z.int(),
      resets_in_seconds: z.int(),
    }),
    concurrency: z.object({ limit: z.int(), in_use: z.int() }),
    compute_units: z.object({
      limit: z.int(),
      window_seconds: z.int(),
      remaining: z.int(),
      resets_in_seconds: z.int(),
    }),
    batches: z.object({ limit: z.int(), in_use: z.int() }),
  })
  .meta({ id: 'Limits' });

export type LimitsView = z.infer<typeof limitsSchema>;

export const usageSchema = z
  .object({
    object: z.literal('usage'),
    date: z.string().describe('Day in UTC'),
    requests: z.int(),
    explanations: z.int().describe('Computed; answers from the cache cost nothing'),
    compute_units: z.int(),
  })
  .meta({ id: 'Usage' });

export type Usage = z.infer<typeof usageSchema>;

export const usageListSchema = page(usageSchema).meta({ id: 'UsageList' });
