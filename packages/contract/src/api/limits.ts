import { z } from 'zod';
import { page } from '../wire.ts';

const most = z.int().min(0).max(1_000_000_000);

export const limitsRequestSchema = z
  .strictObject({
    requests: most.optional().describe('Requests that the tenant may send within 60 seconds'),
    concurrency: most.optional().describe('Computations that may wait or run at the same time'),
    compute_units: most
      .optional()
      .describe(
        'Compute units that the tenant may use on one day (UTC). One unit is one run of a network on one picture',
      ),
    batches: most.optional().describe('Batches that may have waiting explanations at the same time'),
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
    date: z.string().describe('The day, in UTC'),
    requests: z.int(),
    explanations: z
      .int()
      .describe('Explanations that the service computed. Answers from the cache do not count'),
    compute_units: z.int(),
  })
  .meta({ id: 'Usage' });

export type Usage = z.infer<typeof usageSchema>;

export const usageListSchema = page(usageSchema).meta({ id: 'UsageList' });
