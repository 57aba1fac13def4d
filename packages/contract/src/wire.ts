import { z } from 'zod';

// What many resources have, as it is on the wire. `meta({ id })` of a schema names it in the OpenAPI document that the
// gateway generates.

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits');

export const time = z.iso.datetime();

/** Lists are pages: ask for the next with `starting_after` = `next_cursor`. */
export const page = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable(),
  });
