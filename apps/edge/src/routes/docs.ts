import { Scalar } from '@scalar/hono-api-reference';
import type { AppEnv } from '../app-env.ts';
import { text } from '../http/responses.ts';
import { routes } from '../http/route.ts';

/** Everything that the page needs comes from here: it works without a network. */
export const docs = routes('documentation');

docs.route('GET', '/docs', {
  access: 'public',
  summary: 'Read the API’s documentation',
  responses: { 200: text('text/html', 'The body is a page') },
  handler: async (_, c) => {
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
    const page = (await render(c, async () => {})) as Response;
    const headers = { ...Object.fromEntries(page.headers), 'Content-Security-Policy': policy(nonce) };
    return { status: 200, headers, body: page.body };
  },
});

docs.route('GET', '/docs/reference.js', {
  access: 'public',
  summary: 'Get the script of the documentation',
  responses: { 200: text('text/javascript', 'The body is a script') },
  handler: async (_, c) => {
    const file = await c.env.ASSETS.fetch(new URL('/standalone.js', c.req.url));
    const headers = {
      'Content-Type': 'text/javascript; charset=utf-8',
      'Cache-Control': 'public, max-age=86400',
    };
    return { status: 200, headers, body: file.body };
  },
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
