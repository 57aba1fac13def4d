import { largestCheckpoint, recordOf } from '@whylight/contract';
import type { LoopState } from '@whylight/core';
import { z } from 'zod';

const tensorSchema = z
  .object({
    dtype: z.literal('float32'),
    shape: z.array(z.int().min(0)),
    data: z.instanceof(Float32Array),
  })
  .refine(({ shape, data }) => shape.reduce((product, size) => product * size, 1) === data.length);

/** The state of a sampled job, from a process that a stranger may control, or from the object store. */
export const loopStateSchema: z.ZodType<LoopState> = z
  .object({
    loop: z.int().min(0),
    done: z.int().min(0),
    sums: recordOf(z.string(), tensorSchema),
    chunks: z.array(z.int().min(1)),
    completed: z.int().min(0),
    total: z.int().min(1),
  })
  .refine(({ completed, total }) => completed <= total)
  .refine(({ sums }) => bytesOf(sums) <= largestCheckpoint);

const bytesOf = (sums: LoopState['sums']): number =>
  Object.values(sums).reduce((sum, { data }) => sum + data.byteLength, 0);
