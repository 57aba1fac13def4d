import { z } from 'zod';

// Schemas that many resources share. `meta({ id })` names a schema in the OpenAPI document that the gateway generates.
//
// A request is a `z.strictObject`. It refuses unknown members, because the service would ignore them: a misspelt option, or a
// member that the sender may not set. An answer, on the public API or between worker and gateway, is a `z.object`. It drops
// unknown members, so that the sender may be of a newer release. `testing/answers.ts` lists the requests; tests treat every
// other schema as an answer.

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits');

export const time = z.iso.datetime();

/** A time in a request: RFC 3339, in any zone. Answers are in UTC. */
export const timeOfAnyZone = z.iso.datetime({ offset: true });

/**
 * A string of an answer that has one of these values, and may have others in later releases. A reader takes any string; the
 * type and the OpenAPI document name the values of this release, and say that there may be more.
 */
export const growing = <const V extends string>(values: readonly V[]): z.ZodType<V | (string & {}), string> =>
  z.string().meta({ anyOf: growingSchemas(values) });

/** The same, or null. */
export const growingOrNull = <const V extends string>(
  values: readonly V[],
): z.ZodType<V | (string & {}) | null, string | null> =>
  z
    .string()
    .nullable()
    .meta({ anyOf: [...growingSchemas(values), { type: 'null' }] });

const growingSchemas = (values: readonly string[]) => [
  { type: 'string' as const, enum: [...values] },
  { type: 'string' as const },
];

/** One page of a list. To get the next page, send `next_cursor` as `starting_after`. */
export const page = <T extends z.ZodType>(item: T) =>
  z.object({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable(),
  });

/**
 * What the OpenAPI document says of a tuple of `count` equal items. The library's words for a tuple (`prefixItems`) limit neither
 * its length nor what follows, and generators of clients do not know them.
 */
export function lengthOf(count: number, item: z.ZodType) {
  const { $schema: _, ...items } = z.toJSONSchema(item, { io: 'input' });
  return { items, minItems: count, maxItems: count, prefixItems: undefined };
}
