import { refusalOf, withoutUnsignedMetadata } from './signed-headers.ts';

/** The path of the store's S3 endpoint. It is part of what a signed URL signs, so it cannot be another one here. */
const store = '/cdn-cgi/local/r2/s3';

interface Service {
  fetch(request: Request): Promise<Response>;
}

interface Bindings {
  readonly GATEWAY: Service;
  readonly STORE: Service;
}

/**
 * Listens on the port of `whylight serve`, inside workerd: the store's S3 endpoint answers signed requests, the gateway
 * all others. No other feature of a development server can be reached from here.
 */
export default {
  async fetch(request: Request, { GATEWAY, STORE }: Bindings): Promise<Response> {
    // Of two Host headers, or of one that is no host, workerd makes an address that is no URL.
    if (!URL.canParse(request.url)) return badHost();
    const { pathname, searchParams } = new URL(request.url);
    if (!pathname.startsWith(`${store}/`)) return GATEWAY.fetch(fromThisMachine(request));
    const refusal = refusalOf(request.headers, searchParams);
    if (refusal !== null) {
      await discard(request);
      return denied(refusal);
    }
    if (request.headers.has('authorization')) return STORE.fetch(request);
    return STORE.fetch(
      new Request(request, { headers: withoutUnsignedMetadata(request.headers, searchParams) }),
    );
  },
};

const badHost = (): Response => {
  const detail = 'Expected one Host header that names a host.';
  const problem = {
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail,
    code: 'invalid_parameter',
  };
  return new Response(JSON.stringify(problem), {
    status: 400,
    headers: { 'Content-Type': 'application/problem+json' },
  });
};

/** The gateway counts bad keys by the address that Cloudflare names. Here it is always this machine's own. */
function fromThisMachine(request: Request): Request {
  const named = new Request(request);
  named.headers.set('CF-Connecting-IP', '127.0.0.1');
  return named;
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
