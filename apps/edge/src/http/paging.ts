import { z } from '@hono/zod-openapi';
import { Refusal } from '../domain/refusal.ts';
import { type IdPrefix, isId } from '../domain/ulid.ts';
import { wholeNumber } from './query.ts';
import { json } from './responses.ts';

const pageQuery = (prefix: IdPrefix) =>
  z.object({
    limit: wholeNumber(1, 100, 20).describe('How many items the page has at most'),
    starting_after: z
      .string()
      .max(100)
      .optional()
      .meta({ pattern: `^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$` })
      .describe('The `next_cursor` of the page before'),
  });

/** The declaration of a route that answers with `answerPage`, by ids of that prefix: its query, and its one answer. */
export const paged = <S extends z.ZodType>(prefix: IdPrefix, list: S, description: string) => ({
  query: pageQuery(prefix),
  responses: { 200: json(list, description) },
});

type PageQuery = z.output<ReturnType<typeof pageQuery>>;

interface ListAnswer<T> {
  readonly status: 200;
  readonly body: { object: 'list'; data: T[]; has_more: boolean; next_cursor: string | null };
}

/** A list that is short, so that it is always one page. */
export const answerAll = <T>(data: T[]): ListAnswer<T> => ({
  status: 200,
  body: { object: 'list', data, has_more: false, next_cursor: null },
});

type ReadRows<T> = (limit: number, after: string | null) => Promise<T[]>;

/**
 * One page of the rows that `read` returns, each as `present` shows it. Cursors are ids, and ids sort by time: rows that are
 * added meanwhile do not move a page.
 */
export async function answerPage<T extends { id: string }>(
  prefix: IdPrefix,
  query: PageQuery,
  read: ReadRows<T>,
): Promise<ListAnswer<T>>;
export async function answerPage<T extends { id: string }, V>(
  prefix: IdPrefix,
  query: PageQuery,
  read: ReadRows<T>,
  present: (row: T) => V | Promise<V>,
): Promise<ListAnswer<V>>;
export async function answerPage<T extends { id: string }>(
  prefix: IdPrefix,
  { limit, starting_after: after }: PageQuery,
  read: ReadRows<T>,
  present: (row: T) => unknown = (row) => row,
): Promise<ListAnswer<unknown>> {
  if (after !== undefined && !isId(prefix, after))
    throw new Refusal(
      'invalid_cursor',
      'starting_after: expected the `next_cursor` of an answer of this list.',
    );
  const rows = await read(limit + 1, after ?? null);
  const shown = rows.slice(0, limit);
  const more = rows.length > limit;
  const data = await Promise.all(shown.map(present));
  return {
    status: 200,
    body: { object: 'list', data, has_more: more, next_cursor: more ? (shown.at(-1)?.id ?? null) : null },
  };
}
