import { type ArtifactLink, artifactUrlSchema } from '@whylight/contract';
import { type Connection, given } from './http.ts';
import { ProblemError } from './problem-error.ts';

type Link = Pick<ArtifactLink, 'url' | 'signed_url'>;

/**
 * Fetches the file behind a link: by its signed URL, or if there is none or the store no longer accepts it, by a new one. The
 * API key is never sent to the store.
 */
export async function fetchArtifact(
  connection: Connection,
  { url, signed_url }: Link,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const { fetch: send = fetch } = connection;
  const known = signed_url === undefined ? null : await send(signed_url, given(signal));
  const response = known?.ok ? known : await send(await newUrl(connection, url, signal), given(signal));
  if (!response.ok) throw await ProblemError.of(response);
  return new Uint8Array(await response.arrayBuffer());
}

/** Asks for a signed URL. As JSON, because a page cannot read a redirect; earlier services redirect all the same. */
async function newUrl(
  { url, apiKey, fetch: send = fetch }: Connection,
  path: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const answer = await send(new URL(path, url), {
    headers: { Authorization: `Bearer ${apiKey}`, Accept: 'application/json' },
    redirect: 'manual',
    ...given(signal),
  });
  const location = answer.headers.get('Location');
  if (answer.status === 302 && location) return location;
  if (!answer.ok) throw await ProblemError.of(answer);
  return artifactUrlSchema.parse(await answer.json()).url;
}
