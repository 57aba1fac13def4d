/** The origin of the page that sends a request, if it is one of `origins`. */
export function allowedOrigin({ headers }: Request, origins: readonly string[]): string | null {
  const origin = headers.get('origin');
  return origin !== null && origins.includes(origin) ? origin : null;
}

/** Headers that uploads have; a browser counts the bytes itself. */
const requestHeaders = 'content-type, if-none-match, x-amz-checksum-sha256';

/** The answer to a browser that asks whether the page may send a request; null for any other request. */
export function preflight({ method, headers }: Request, origin: string): Response | null {
  if (method !== 'OPTIONS' || !headers.has('access-control-request-method')) return null;
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

/** The answer, which a page of this origin may read. */
export function withOrigin(response: Response, origin: string): Response {
  const answered = new Response(response.body, response);
  answered.headers.set('Access-Control-Allow-Origin', origin);
  answered.headers.set('Access-Control-Expose-Headers', 'ETag');
  answered.headers.append('Vary', 'Origin');
  return answered;
}
