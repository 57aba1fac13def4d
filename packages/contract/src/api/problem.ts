import { z } from 'zod';
import { growing } from '../wire.ts';
import { problemCodes } from './problem-codes.ts';

export const problemCodeSchema = growing(problemCodes).meta({
  id: 'ProblemCode',
  description:
    'What went wrong, for programs. A code keeps its meaning; later releases may add codes. A program that does not know a code goes by the status',
});

/** Every answer that is not 2xx or 3xx (RFC 9457, `application/problem+json`). */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: problemCodeSchema,
    request_id: z.string(),
    retryable: z.boolean(),
    errors: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })).optional(),
    'violated-policies': z
      .array(z.string())
      .optional()
      .describe(
        'Present in answers with status 429: the policies of the header `RateLimit-Policy` that the request violated',
      ),
  })
  .meta({ id: 'Problem', description: 'What went wrong. `detail` is for people, `code` for programs.' });

export type Problem = z.infer<typeof problemSchema>;
