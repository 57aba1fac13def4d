import { type ArtifactLink, artifactUrlSchema } from '@whylight/contract';
import { type Connection, given } from './http.ts';
import { ProblemError } from './problem-error.ts';
import { readAnswer } from './read-answer.ts';
import { ConnectionError } from './whylight-error.ts';

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
  let place = signed_url === undefined ? null : new URL(signed_url);
  let response = place && (await send(connection, place, given(signal)));
  if (!place || !response?.ok) {
    place = await newUrl(connection, url, signal);
    response = await send(connection, place, given(signal));
  }
  if (!response.ok) throw await ProblemError.of(response);
  return new Uint8Array(await response.arrayBuffer().catch(failure(place, signal)));
}

/** Asks for a signed URL. As JSON, because a page cannot read a redirect; earlier services redirect all the same. */
async function newUrl(connection: Connection, path: string, signal: AbortSignal | undefined): Promise<URL> {
  const link = new URL(path, connection.url);
  const answer = await send(connection, link, {
    headers: { Authorization: `Bearer ${connection.apiKey}`, Accept: 'application/json' },
    redirect: 'manual',
    ...given(signal),
  });
  const location = answer.headers.get('Location');
  if (answer.status === 302 && location) return new URL(location, link);
  if (!answer.ok) throw await ProblemError.of(answer);
  return new URL((await readAnswer(answer, artifactUrlSchema.safeParse, signal)).url);
}

/** One request. @throws ConnectionError if no answer comes. @throws the signal's reason */
const send = (connection: Connection, place: URL, init: RequestInit): Promise<Response> =>
  (connection.fetch ?? fetch)(place, init).catch(failure(place, init.signal));

const failure =
  (place: URL, signal: AbortSignal | null | undefined) =>
  (error: unknown): never => {
    signal?.throwIfAborted();
    throw new ConnectionError(place.origin, error);
  };
