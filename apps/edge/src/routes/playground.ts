import { createRoute, z } from '@hono/zod-openapi';
import type { AppEnv } from '../app-env.ts';
import { declined, routes } from '../openapi.ts';
import page from '../playground/page.html';
import script from '../playground/script.txt';
import { services } from '../services.ts';

const tags = ['documentation'];

const root = createRoute({
  method: 'get',
  path: '/',
  tags,
  summary: 'Redirect to the playground',
  responses: { 302: { description: 'To /playground' }, ...declined },
});

const html = createRoute({
  method: 'get',
  path: '/playground',
  tags,
  summary: 'Open a page to try the service',
  responses: {
    200: { description: 'A page', content: { 'text/html': { schema: z.string() } } },
    ...declined,
  },
});

const js = createRoute({
  method: 'get',
  path: '/playground/script.js',
  tags,
  summary: 'Get the script of the playground',
  responses: {
    200: { description: 'JavaScript', content: { 'text/javascript': { schema: z.string() } } },
    ...declined,
  },
});

/** The page loads everything from the gateway, except photos and pictures, which the browser exchanges with the store. */
export const playground = routes()
  .openapi(root, (c) => c.redirect('/playground'))
  .openapi(html, (c) => {
    const nonce = crypto.randomUUID();
    return new Response(page.replaceAll('NONCE', nonce), {
      headers: {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': policy(nonce, storeOf(c.env)),
      },
    }) as never;
  })
  .openapi(
    js,
    () => new Response(script, { headers: { 'Content-Type': 'text/javascript; charset=utf-8' } }) as never,
  );

const storeOf = (bindings: AppEnv['Bindings']): string => {
  const { S3_PUBLIC_ENDPOINT, S3_ENDPOINT } = services(bindings).settings;
  return new URL(S3_PUBLIC_ENDPOINT ?? S3_ENDPOINT).origin;
};

const policy = (nonce: string, store: string): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'self'`,
    `style-src 'nonce-${nonce}'`,
    'img-src blob:',
    `connect-src 'self' ${store}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
