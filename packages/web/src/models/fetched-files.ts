import { InputError } from '@whylight/core';

interface Fetching {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: number) => void) | undefined;
}

/**
 * Fetches files; the end of each address names its file. Reports the progress of the first file, which is the largest.
 *
 * @throws InputError for an address that gives no file
 */
export async function fetchFiles(
  urls: readonly string[],
  { signal, onProgress }: Fetching = {},
): Promise<File[]> {
  return Promise.all(
    urls.map((url, index) => fetchFile(url, { signal, ...(index === 0 && { onProgress }) })),
  );
}

async function fetchFile(url: string, { signal, onProgress }: Fetching): Promise<File> {
  const name = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '') || 'model.onnx';
  const response = await fetch(url, { signal: signal ?? null }).catch((error: Error) => {
    throw signal?.aborted ? error : refused(name, `the request failed (${error.message})`);
  });
  if (!response.ok) throw refused(name, `the server answered ${response.status}`);
  const total = Number(response.headers.get('content-length') ?? 0);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array<ArrayBuffer>>) {
    parts.push(part);
    received += part.byteLength;
    // If a file is sent compressed, it has more bytes than the header says.
    if (total > 0) onProgress?.(Math.min(received / total, 1));
  }
  return new File(parts, name);
}

const refused = (name: string, why: string): InputError =>
  new InputError(
    'invalid_model',
    `file ${JSON.stringify(name)} cannot be fetched: ${why}; check the address, and that its server lets this page read it`,
  );
