import { z } from 'zod';

// Schemas that many resources share. `meta({ id })` names a schema in the OpenAPI document that the gateway generates.
//
// A request is a `z.strictObject`. It refuses unknown members, because the service would ignore them: a misspelt option, or a
// member that the sender may not set. An answer, on the public API or between worker and gateway, is a `z.object`. It drops
// unknown members, so that the sender may be of a newer release. `testing/answers.ts` lists the requests; tests treat every
// other schema as an answer.

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits');

export const time = z.iso.datetime();

/** One page of a list. To get the next page, send `next_cursor` as `starting_after`. */
export const page = <T extends z.ZodType>(item: T) =>
  z.object({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable(),
  });
