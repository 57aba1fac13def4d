import { sha256Hex, type Upload, uploadSchema } from '@whylight/contract';
import { type Connection, call, given, tried } from './http.ts';
import { ProblemError } from './problem-error.ts';
import { readAnswer } from './read-answer.ts';

/** Announces a photo, and PUTs its bytes if the service does not have them. @throws ProblemError */
export async function sendUpload(
  connection: Connection,
  bytes: Uint8Array<ArrayBuffer>,
  contentType: string,
  signal: AbortSignal | undefined,
): Promise<Upload> {
  const body = JSON.stringify({
    content_type: contentType,
    content_length: bytes.length,
    sha256: await sha256Hex(bytes),
  });
  const response = await call(connection, '/v1/uploads', { method: 'POST', body, ...given(signal) }, true);
  const upload = await readAnswer(response, uploadSchema.safeParse, signal);
  if (!upload.upload) return upload;
  const { method, url, headers } = upload.upload;
  // fetch sets the length itself and refuses this header.
  const { 'content-length': _, ...bound } = headers;
  const init = { method, headers: bound, body: bytes, ...given(signal) };
  await tried(connection, new URL(url), init, true).catch((error: unknown) => {
    // 412: an earlier try has stored it already.
    if (!(error instanceof ProblemError && error.status === 412)) throw error;
  });
  return upload;
}
