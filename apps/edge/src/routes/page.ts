import { getOwn } from '@whylight/core/methods';
import type { Context } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { notFound } from '../domain/refusal.ts';
import { text } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { services } from '../services.ts';

/** Serves the page of `apps/web`, whose files the build puts beside this worker (`build/assets.ts`). */
export const page = routes('documentation');

page.route('GET', '/', {
  access: 'public',
  summary: 'Open the page that explains photos, in the tab or on this service',
  responses: { 200: text('text/html', 'The body is a page') },
  handler: (_, c) =>
    html(c, asksForChinese(c.req.header('Accept-Language') ?? '') ? 'zh.html' : 'index.html'),
});

for (const name of ['index.html', 'zh.html'] as const)
  page.route('GET', `/${name}`, {
    access: 'public',
    summary: `Open the page in ${name === 'zh.html' ? 'Chinese' : 'English'}`,
    responses: { 200: text('text/html', 'The body is a page') },
    handler: (_, c) => html(c, name),
  });

page.route('GET', '/playground', {
  access: 'public',
  summary: 'Redirect to the page, which had this address once',
  responses: { 302: { description: '`Location` is /' } },
  handler: () => ({ status: 302, headers: { Location: '/' } }),
});

page.route('GET', '/service-worker.js', {
  access: 'public',
  summary: 'Get the script that keeps the page in the browser',
  responses: { 200: text('text/javascript', 'The body is a script') },
  handler: (_, c) => file(c, 'service-worker.js', 'no-cache'),
});

/** Names of files under `assets` hold a digest of the content. */
for (const [folder, caching] of [
  ['assets', 'public, max-age=31536000, immutable'],
  ['models', 'public, max-age=3600'],
  ['photos', 'public, max-age=3600'],
] as const)
  page.route('GET', `/${folder}/{file}`, {
    access: 'public',
    summary: `Get a file of the page, from its ${folder}`,
    responses: {
      200: text('application/octet-stream', 'The body is the file, of the type that its name says'),
    },
    handler: ({ params }, c) => file(c, `${folder}/${params.file}`, caching),
  });

/** Writes into the page that this service is the one to ask. */
async function html(c: Context<AppEnv>, name: string) {
  const found = await c.env.ASSETS.fetch(new URL(`/${name}`, c.req.url));
  if (!found.ok) throw notFound();
  const written = (await found.text()).replace(
    '<meta name="whylight-service" content=""',
    '<meta name="whylight-service" content="/"',
  );
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    Vary: 'Authorization, X-Api-Version, Accept-Language',
    ...guards(c),
  };
  return { status: 200 as const, headers, body: written };
}

/** A file of the page. WebAssembly lies there compressed, because an asset of a Worker may have 25 MiB at most. */
async function file(c: Context<AppEnv>, path: string, caching: string) {
  if (!/^(\w[\w-]*\/)?\w[\w.-]*$/.test(path)) throw notFound();
  const end = path.slice(path.lastIndexOf('.') + 1);
  const isPacked = end === 'wasm';
  const found = await c.env.ASSETS.fetch(new URL(`/${path}${isPacked ? '.gz' : ''}`, c.req.url));
  if (!found.ok || !found.body) throw notFound();
  const headers = {
    'Content-Type': getOwn(types, end) ?? 'application/octet-stream',
    'Cache-Control': caching,
    ...guards(c),
  };
  const body = isPacked ? found.body.pipeThrough(new DecompressionStream('gzip')) : found.body;
  return { status: 200 as const, headers, body: body as ReadableStream };
}

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  webp: 'image/webp',
  jpg: 'image/jpeg',
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  wasm: 'application/wasm',
};

/**
 * What the page may do; its workers obey the headers of their own scripts. The last two give the page threads: a browser
 * shares memory only in a page that no other origin can reach.
 */
const guards = (c: Context<AppEnv>) => ({
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    `connect-src 'self' ${storeOf(c.env)}`,
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
});

/** The browser exchanges photos and results with the store itself. */
const storeOf = (bindings: AppEnv['Bindings']): string => services(bindings).objects.publicUrl.origin;

/** Whether the first language that the page has is Chinese. The page's script asks the browser again. */
function asksForChinese(accepted: string): boolean {
  const [first] = accepted.split(',').filter((tag) => /^\s*(en|zh)\b/i.test(tag));
  return first !== undefined && /^\s*zh/i.test(first);
}
