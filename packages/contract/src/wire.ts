import { z } from 'zod';

// What many resources have, as it is on the wire. `meta({ id })` of a schema names it in the OpenAPI document that the
// gateway generates.
//
// What somebody asks for is a `z.strictObject`: a member that we do not know is refused, because it would be ignored
// (a misspelt option, or a member that the sender may not set). What answers, on the public API or between worker and
// gateway, is a `z.object`: a member that the reader does not know is dropped, so that the other side can be newer.
// `testing/answers.ts` lists what is asked for; everything else is tried as an answer.

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits');

export const time = z.iso.datetime();

/** Lists are pages: ask for the next with `starting_after` = `next_cursor`. */
export const page = <T extends z.ZodType>(item: T) =>
  z.object({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable(),
  });
