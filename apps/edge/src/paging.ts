import { z } from '@hono/zod-openapi';
import { Refusal } from './domain/refusal.ts';
import { type IdPrefix, isId } from './domain/ulid.ts';

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  starting_after: z.string().optional(),
});

interface Asked {
  readonly limit: number;
  readonly starting_after?: string | undefined;
}

/** One page of what `read` gives. Cursors are ids, and ids sort by time: what is added meanwhile moves nothing. */
export async function page<T extends { id: string }>(
  prefix: IdPrefix,
  { limit, starting_after: after }: Asked,
  read: (limit: number, after: string | null) => Promise<T[]>,
): Promise<{ object: 'list'; data: T[]; has_more: boolean; next_cursor: string | null }> {
  if (after !== undefined && !isId(prefix, after))
    throw new Refusal('invalid_cursor', 'starting_after is not a cursor of this list.');
  const rows = await read(limit + 1, after ?? null);
  const data = rows.slice(0, limit);
  const more = rows.length > limit;
  return { object: 'list', data, has_more: more, next_cursor: more ? (data.at(-1)?.id ?? null) : null };
}
