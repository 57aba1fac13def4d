import { createRoute, z } from '@hono/zod-openapi';
import { Scalar } from '@scalar/hono-api-reference';
import type { Context } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { declined, routes } from '../openapi.ts';

const page = createRoute({
  method: 'get',
  path: '/docs',
  tags: ['documentation'],
  summary: 'Read the API’s documentation',
  responses: {
    200: { description: 'A page', content: { 'text/html': { schema: z.string() } } },
    ...declined,
  },
});

const script = createRoute({
  method: 'get',
  path: '/docs/reference.js',
  tags: ['documentation'],
  summary: 'Get the script of the documentation',
  responses: {
    200: { description: 'JavaScript', content: { 'text/javascript': { schema: z.string() } } },
    ...declined,
  },
});

/** Everything that the page needs comes from here: it works without a network. */
export const docs = routes()
  .openapi(page, async (c) => {
    const nonce = crypto.randomUUID();
    const render = Scalar<AppEnv>({
      url: '/openapi.json',
      cdn: '/docs/reference.js',
      bundle: false,
      nonce,
      pageTitle: 'Whylight API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      agent: { disabled: true },
      mcp: { disabled: true },
      showDeveloperTools: 'never',
    });
    const response = (await render(c as Context<AppEnv>, async () => {})) as Response;
    const html = new Response(response.body, response);
    html.headers.set('Content-Security-Policy', policy(nonce));
    return html as never;
  })
  .openapi(script, async (c) => {
    const file = await c.env.ASSETS.fetch(new URL('/standalone.js', c.req.url));
    return new Response(file.body, {
      headers: { 'Content-Type': 'text/javascript; charset=utf-8', 'Cache-Control': 'public, max-age=86400' },
    }) as never;
  });

const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'self'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
