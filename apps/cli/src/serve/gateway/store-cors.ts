/** The origin of the page that sends a request, if it is one of `origins`. */
export function allowedOrigin({ headers }: Request, origins: readonly string[]): string | null {
  const origin = headers.get('origin');
  return origin !== null && origins.includes(origin) ? origin : null;
}

/** Headers that uploads have; a browser counts the bytes itself. */
const requestHeaders = 'content-type, if-none-match, x-amz-checksum-sha256';

/** The answer to a browser that asks whether a page of this origin may send a request; null for any other request. */
export function preflight({ method, headers }: Request, origin: string | null): Response | null {
  if (origin === null || method !== 'OPTIONS' || !headers.has('access-control-request-method')) return null;
  return new Response(null, {
    status: 204,
    headers: {
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Methods': 'GET, PUT',
      'Access-Control-Allow-Headers': requestHeaders,
      'Access-Control-Max-Age': '7200',
      Vary: 'Origin',
    },
  });
}

/** The store's answer, which pages of this origin may read; null: no page may. The store itself would allow every page. */
export function withOrigin(response: Response, origin: string | null): Response {
  const answered = new Response(response.body, response);
  for (const name of [...answered.headers.keys()])
    if (name.startsWith('access-control-')) answered.headers.delete(name);
  answered.headers.append('Vary', 'Origin');
  if (origin === null) return answered;
  answered.headers.set('Access-Control-Allow-Origin', origin);
  answered.headers.set('Access-Control-Expose-Headers', 'ETag');
  return answered;
}
