import { z } from '@hono/zod-openapi';
import { problemSchema } from '@whylight/contract';
import type { ResponseHeader } from '../response-headers.ts';

/** A route's declaration of one status. Without `content` the answer has no body. */
interface DeclaredResponse {
  readonly description: string;
  /** Headers that not every answer has. */
  readonly headers?: readonly ResponseHeader[];
  readonly content?: Readonly<Record<string, { readonly schema: z.ZodType }>>;
}

/** Every answer of a route, by status, except refusals: `route` adds those to each route. */
export type Responses = Readonly<Record<number, DeclaredResponse>>;

type BodyOf<D extends DeclaredResponse> = D extends { content: infer C }
  ? C extends { 'application/json': { schema: infer S extends z.ZodType } }
    ? { readonly body: z.output<S> | ReadableStream }
    : { readonly body: string | ReadableStream | null }
  : { readonly body?: undefined };

/** The return value of a handler: one of the declared statuses, with a body of its schema. */
export type Answer<R extends Responses> = {
  [S in keyof R & number]: {
    readonly status: S;
    readonly headers?: Readonly<Record<string, string>>;
  } & BodyOf<R[S]>;
}[keyof R & number];

export const json = <S extends z.ZodType>(
  schema: S,
  description: string,
  headers: readonly ResponseHeader[] = [],
) => ({
  description,
  headers,
  content: { 'application/json': { schema } },
});

/** A body that is not JSON. The handler sets its Content-Type, with the charset. */
export const text = (type: string, description: string) => ({
  description,
  content: { [type]: { schema: z.string() } } as Record<string, { schema: z.ZodString }>,
});

export const deleted = { 204: { description: 'The resource is deleted' } };

/** The body of every refusal. */
export const problemContent = { 'application/problem+json': { schema: problemSchema } };
