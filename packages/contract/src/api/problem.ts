import { z } from 'zod';

/** Every answer that is not 2xx or 3xx (RFC 9457, `application/problem+json`). */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    request_id: z.string(),
    retryable: z.boolean(),
    errors: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })).optional(),
    'violated-policies': z.array(z.string()).optional().describe('Of 429: which of RateLimit-Policy'),
  })
  .meta({ id: 'Problem', description: 'What went wrong, for people (`detail`) and programs (`code`).' });

export type Problem = z.infer<typeof problemSchema>;
