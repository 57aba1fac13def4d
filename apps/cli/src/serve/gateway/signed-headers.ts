/**
 * Says why a request must not reach the local store: it is not signed in exactly one way, or its signature does not
 * cover an `x-amz-*` header. Such a header gives a signed URL another meaning: with `x-amz-copy-source` a PUT of one's
 * own photo becomes a copy of somebody else's. The store itself checks whether the signature is right.
 *
 * @returns a sentence, or null for a request that may pass
 */
export function refusalOf(headers: Headers, query: URLSearchParams): string | null {
  const authorization = headers.get('authorization');
  const inQuery = [...query.keys()].some((name) => /^x-amz-(signature|credential)$/i.test(name));
  if (authorization === null && !inQuery) return 'The request is not signed.';
  if (authorization !== null && inQuery && !/^AWS4-/.test(authorization))
    return 'The header Authorization has no signature. Send the signed URL alone: the store needs no API key, and must not see it.';
  if (authorization !== null && inQuery)
    return 'The request is signed twice: in its URL and in the header Authorization. Send one of them.';
  const signed = signedNames(authorization, query);
  if (signed === null) return 'The request must say once which headers are signed: SignedHeaders.';
  for (const [name] of headers) {
    if (!name.startsWith('x-amz-')) continue;
    if (!signed.has(name)) return `The header ${name} is not signed.`;
    if (name.startsWith('x-amz-copy-source')) return 'This store copies no objects.';
  }
  return null;
}

/**
 * Drops the headers of a request that tell the store what to keep beside the bytes, unless its signed URL covers them.
 * So an object is kept as it was announced.
 */
export function withoutUnsignedMetadata(headers: Headers, query: URLSearchParams): Headers {
  const signed = signedNames(null, query);
  const kept = new Headers(headers);
  for (const name of [
    'cache-control',
    'content-disposition',
    'content-encoding',
    'content-language',
    'expires',
  ])
    if (!signed?.has(name)) kept.delete(name);
  return kept;
}

/** Names of the headers that the signature covers; null if the request states them not at all, or more than once. */
function signedNames(authorization: string | null, query: URLSearchParams): ReadonlySet<string> | null {
  const said =
    authorization === null
      ? query.getAll('X-Amz-SignedHeaders')
      : Array.from(authorization.matchAll(/[\s,]SignedHeaders=([^,]*)/g), ([, names]) => names!.trim());
  const [names] = said;
  return said.length === 1 && names ? new Set(names.toLowerCase().split(';')) : null;
}
