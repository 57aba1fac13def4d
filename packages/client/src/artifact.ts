import { type Connection, given } from './http.ts';
import { ProblemError } from './problem-error.ts';
import { ConnectionError } from './whylight-error.ts';

/** Fetches the file to which `path` redirects. The signed URL authorises itself; the API key must not be sent there. */
export async function fetchArtifact(
  { url, apiKey, fetch: send = fetch }: Connection,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const orFailed =
    (place: URL) =>
    (error: unknown): never => {
      signal?.throwIfAborted();
      throw new ConnectionError(place.origin, error);
    };
  const link = new URL(path, url);
  const redirect = await send(link, {
    headers: { Authorization: `Bearer ${apiKey}` },
    redirect: 'manual',
    ...given(signal),
  }).catch(orFailed(link));
  const location = redirect.headers.get('Location');
  if (redirect.status !== 302 || !location) throw await ProblemError.of(redirect);
  const signed = new URL(location, link);
  const response = await send(signed, given(signal)).catch(orFailed(signed));
  if (!response.ok) throw await ProblemError.of(response);
  return new Uint8Array(await response.arrayBuffer().catch(orFailed(signed)));
}
