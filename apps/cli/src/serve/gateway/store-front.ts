import { badHost, isAddressed } from './host-header.ts';
import { refusalOf, withoutUnsignedMetadata } from './signed-headers.ts';
import { allowedOrigin, preflight, withOrigin } from './store-cors.ts';

/** The path of the store's S3 endpoint. It is part of what a signed URL signs, so it cannot be another one here. */
const store = '/cdn-cgi/local/r2/s3';

interface Bindings {
  readonly STORE: { fetch(request: Request): Promise<Response> };
  /** Origins whose pages may use signed URLs, separated by spaces. */
  readonly ORIGINS: string;
}

/** Listens on the store's port, inside workerd: the store's S3 endpoint answers signed requests, and nothing answers others. */
export default {
  async fetch(request: Request, { STORE, ORIGINS }: Bindings): Promise<Response> {
    if (!isAddressed(request)) return badHost();
    if (!new URL(request.url).pathname.startsWith(`${store}/`)) return new Response(null, { status: 404 });
    const origin = allowedOrigin(request, ORIGINS.split(' '));
    if (origin === null) return answer(request, STORE);
    return preflight(request, origin) ?? withOrigin(await answer(request, STORE), origin);
  },
};

async function answer(request: Request, STORE: Bindings['STORE']): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const refusal = refusalOf(request.headers, searchParams);
  if (refusal !== null) {
    await discard(request);
    return denied(refusal);
  }
  if (request.headers.has('authorization')) return STORE.fetch(request);
  return STORE.fetch(
    new Request(request, { headers: withoutUnsignedMetadata(request.headers, searchParams) }),
  );
}

/** Longest body that is read and discarded: more than a part of a model has. */
const longest = 64 * 2 ** 20;

/** Reads the body. A client that is answered before it has sent everything sees a broken connection, not the answer. */
async function discard({ body }: Request): Promise<void> {
  if (body === null) return;
  let read = 0;
  for await (const { byteLength } of body) {
    read += byteLength;
    if (read > longest) return;
  }
}

/** A refusal in the form of the store's own. A header's name may hold an ampersand. */
const denied = (message: string): Response =>
  new Response(
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>${message.replaceAll('&', '&amp;')}</Message></Error>`,
    { status: 403, headers: { 'Content-Type': 'application/xml' } },
  );
