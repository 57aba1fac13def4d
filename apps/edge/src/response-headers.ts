/** Headers of answers, as the OpenAPI document describes them. */
export const responseHeaders = {
  'Request-Id': 'Id of this request. Give it to the operator if something went wrong',
  'X-Request-Id': 'The `X-Request-Id` of the request, if it has 1 to 128 printable ASCII characters',
  RateLimit:
    'How much of each limit the tenant has left, and the seconds until that limit starts anew (draft-ietf-httpapi-ratelimit-headers)',
  'RateLimit-Policy': 'Your limits: requests, compute units, computations at a time, and batches that wait',
  'Retry-After': 'Seconds after which the same request may succeed',
  'WWW-Authenticate': '`Bearer`',
  Location: 'Where to ask again, or where the resource is',
  'Cache-Status': 'How the service found the result (RFC 9211): `whylight; hit`, or why it had to compute',
  'Preference-Applied': 'The `wait` that the service has applied',
  'Idempotent-Replayed': '`true`: the answer is that of an earlier request with this Idempotency-Key',
  ETag: 'Send it as `If-None-Match` to be answered 304 while nothing has changed',
  Deprecation: 'Time since which the form that `X-Api-Version` names is out of date (RFC 9745)',
} as const;

export type ResponseHeader = keyof typeof responseHeaders;

export const headersOf = (names: readonly ResponseHeader[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
