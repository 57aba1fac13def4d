import { z } from '@hono/zod-openapi';
import { describe, expect, test } from 'vitest';
import { json, text } from '../src/http/responses.ts';
import { routes } from '../src/http/route.ts';

const item = z.object({ id: z.string(), object: z.literal('item') });

/** Each directive below fails the type check where a mistake compiles. */
describe('a route declares what its handler gets and returns', () => {
  test('the handler gets what is declared, validated, and a JSON answer has its status, headers and body', async () => {
    const { app, route } = routes('items');
    route('POST', '/items/{id}/parts/{part}', {
      access: 'public',
      summary: 'Create a part',
      query: z.object({ n: z.coerce.number() }),
      headers: { 'x-colour': 'A colour' },
      body: z.strictObject({ size: z.int() }),
      responses: { 201: json(z.object({ got: z.unknown() }), 'The part') },
      handler: ({ params, query, headers, body }) => ({
        status: 201,
        headers: { Location: `/items/${params.id}` },
        body: { got: [params.part, query.n + 1, headers['x-colour'], body.size + 1] },
      }),
    });
    const headers = { 'X-Colour': 'red', 'Content-Type': 'application/json' };
    const response = await app.request('/items/a/parts/b?n=1', {
      method: 'POST',
      headers,
      body: '{"size":2}',
    });
    expect([response.status, response.headers.get('Location'), await response.json()]).toEqual([
      201,
      '/items/a',
      { got: ['b', 2, 'red', 3] },
    ]);
  });

  test('an answer that is not JSON is sent as it is', async () => {
    const { app, route } = routes('items');
    route('GET', '/items', {
      access: 'public',
      summary: 'Get items as text',
      responses: { 200: text('text/plain', 'The items'), 204: { description: 'There are no items' } },
      handler: (_, c) =>
        c.req.query('none')
          ? { status: 204 }
          : { status: 200, headers: { 'Content-Type': 'text/plain' }, body: '{"a' },
    });
    const found = await app.request('/items');
    expect([found.headers.get('Content-Type'), await found.text()]).toEqual(['text/plain', '{"a']);
    expect([(await app.request('/items?none=1')).status]).toEqual([204]);
  });

  test('an answer of another status, another body or without a body does not compile', () => {
    const { route } = routes('items');
    const responses = { 200: json(item, 'The item') };
    const declared = { access: 'public', summary: 'Get an item', responses } as const;
    const body = { id: 'a', object: 'item' } as const;
    const wrong = { id: 1, object: 'item' } as const;
    route('GET', '/1', { ...declared, handler: () => ({ status: 200, body }) });
    // @ts-expect-error
    route('GET', '/2', { ...declared, handler: () => ({ status: 201, body }) });
    // @ts-expect-error
    route('GET', '/3', { ...declared, handler: () => ({ status: 200, body: wrong }) });
    // @ts-expect-error
    route('GET', '/4', { ...declared, handler: () => ({ status: 200 }) });
    // @ts-expect-error
    route('GET', '/5', { ...declared, handler: async () => ({ status: 200, body: { id: 'a' } }) });
  });

  test('a handler that reads what is not declared, or a tenant where no tenant calls, does not compile', () => {
    const { route } = routes('items');
    const responses = { 204: { description: 'Done' } };
    const operator = { access: 'operator', summary: 'Delete an item', responses } as const;
    const open = { ...operator, access: 'public' } as const;
    const gone = (_: unknown) => ({ status: 204 }) as const;
    route('DELETE', '/{id}', { ...operator, handler: ({ params }) => gone(params.id) });
    // @ts-expect-error
    route('DELETE', '/{ip}', { ...operator, handler: ({ params }) => gone(params.id) });
    // @ts-expect-error
    route('DELETE', '/b', { ...operator, handler: ({ body }) => gone(body.size) });
    // @ts-expect-error
    route('DELETE', '/c', { ...operator, handler: ({ headers }) => gone(headers.prefer) });
    // @ts-expect-error
    route('DELETE', '/d', { ...operator, handler: ({ tenant }) => gone(tenant) });
    // @ts-expect-error
    route('DELETE', '/e', { ...open, handler: ({ services }) => gone(services) });
  });
});
