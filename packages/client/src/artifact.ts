import { type Connection, given } from './http.ts';
import { ProblemError } from './problem-error.ts';

/** Fetches the file to which `path` redirects. The signed URL authorises itself; the API key must not be sent there. */
export async function fetchArtifact(
  { url, apiKey, fetch: send = fetch }: Connection,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const redirect = await send(new URL(path, url), {
    headers: { Authorization: `Bearer ${apiKey}` },
    redirect: 'manual',
    ...given(signal),
  });
  const location = redirect.headers.get('Location');
  if (redirect.status !== 302 || !location) throw await ProblemError.of(redirect);
  const response = await send(location, given(signal));
  if (!response.ok) throw await ProblemError.of(response);
  return new Uint8Array(await response.arrayBuffer());
}
