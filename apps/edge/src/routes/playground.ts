import type { AppEnv } from '../app-env.ts';
import { text } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import page from '../playground/page.html';
import script from '../playground/script.txt';
import { services } from '../services.ts';

/** The page loads everything from the gateway, except photos and pictures, which the browser exchanges with the store. */
export const playground = routes('documentation');

playground.route('GET', '/', {
  access: 'public',
  summary: 'Redirect to the playground',
  responses: { 302: { description: '`Location` is /playground' } },
  handler: () => ({ status: 302, headers: { Location: '/playground' } }),
});

playground.route('GET', '/playground', {
  access: 'public',
  summary: 'Open a page to try the service',
  responses: { 200: text('text/html', 'The body is a page') },
  handler: (_, c) => {
    const nonce = crypto.randomUUID();
    const headers = {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy(nonce, storeOf(c.env)),
    };
    return { status: 200, headers, body: page.replaceAll('NONCE', nonce) };
  },
});

playground.route('GET', '/playground/script.js', {
  access: 'public',
  summary: 'Get the script of the playground',
  responses: { 200: text('text/javascript', 'The body is a script') },
  handler: () => ({
    status: 200,
    headers: { 'Content-Type': 'text/javascript; charset=utf-8' },
    body: script,
  }),
});

const storeOf = (bindings: AppEnv['Bindings']): string => services(bindings).objects.publicUrl.origin;

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
