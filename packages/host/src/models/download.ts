import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A download failed, or gave another file than the index states. The message may be shown to anyone. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
}

export interface Download {
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly onProgress?: ((received: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches `url` into the file `target` and checks its size and SHA-256. It follows redirects. After a failure the caller must
 * remove `target`.
 *
 * @throws DownloadError that says what was expected and what arrived.
 */
export async function download(target: string, what: Download): Promise<void> {
  try {
    await stream(target, what);
  } catch (error) {
    if (error instanceof DownloadError || what.signal?.aborted) throw error;
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message;
    throw new DownloadError(`download from ${new URL(what.url).host} failed: ${reason}`);
  }
}

async function stream(target: string, { url, bytes, sha256, onProgress, signal }: Download): Promise<void> {
  const response = await fetch(url, { signal: signal ?? null });
  if (!response.ok || !response.body)
    throw new DownloadError(`download from ${new URL(url).host} failed: HTTP ${response.status}`);

  const hash = createHash('sha256');
  let received = 0;
  await pipeline(
    Readable.fromWeb(response.body as import('node:stream/web').ReadableStream),
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        received += chunk.byteLength;
        if (received > bytes) throw new DownloadError(`download: expected ${bytes} bytes, got more`);
        hash.update(chunk);
        onProgress?.(received, bytes);
        yield chunk;
      }
    },
    createWriteStream(target),
  );
  if (received !== bytes) throw new DownloadError(`download: expected ${bytes} bytes, got ${received}`);
  const got = hash.digest('hex');
  if (got !== sha256) throw new DownloadError(`download: expected sha256 ${sha256}, got ${got}`);
}
