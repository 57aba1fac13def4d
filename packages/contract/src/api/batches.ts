import { z } from 'zod';
import { recordOf } from '../record.ts';
import { time } from '../wire.ts';
import { explanationStatuses } from './explanations.ts';
import { problemSchema } from './problem.ts';

/** Explanations that a batch holds, at most. */
export const largestBatch = 100;

export const batchRequestSchema = z
  .strictObject({
    items: z
      .array(recordOf(z.string(), z.unknown()))
      .min(1)
      .max(largestBatch)
      .describe(
        'Each item is a body of POST /v1/explanations. An invalid item does not affect the others: it gets the status `refused`',
      ),
  })
  .meta({ id: 'BatchRequest' });

export type BatchRequest = z.input<typeof batchRequestSchema>;

const count = z.int();

export const batchSchema = z
  .object({
    id: z.string(),
    object: z.literal('batch'),
    status: z.enum(['processing', 'completed', 'canceled']),
    created_at: time,
    counts: z.object({
      total: count,
      waiting: count,
      refused: count,
      ...Object.fromEntries(explanationStatuses.map((status) => [status, count])),
    } as { total: typeof count; waiting: typeof count; refused: typeof count } & Record<
      (typeof explanationStatuses)[number],
      typeof count
    >),
    items: z.array(
      z.object({
        index: z.int(),
        status: z
          .enum(['waiting', 'refused', ...explanationStatuses])
          .describe(
            '`waiting`: the item starts when your limits allow it. `refused`: the item was invalid and is no explanation',
          ),
        explanation: z.string().nullable(),
        error: problemSchema
          .pick({ code: true, detail: true, retryable: true, errors: true })
          .nullable()
          .describe('Why the item was refused; null for the others'),
      }),
    ),
    urls: z.object({ self: z.string(), cancel: z.string() }),
    request_id: z.string(),
  })
  .meta({ id: 'Batch' });

export type Batch = z.infer<typeof batchSchema>;
