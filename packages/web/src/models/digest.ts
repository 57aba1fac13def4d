/** Computes SHA-256 of joined parts, as lower-case hex. @throws Error on a page that the browser does not trust */
export async function sha256Of(parts: readonly Uint8Array[]): Promise<string> {
  if (!globalThis.crypto?.subtle)
    throw new Error(
      'this page may not compute SHA-256: serve it by https, or from localhost, so that the browser trusts it',
    );
  const digest = await crypto.subtle.digest('SHA-256', await inOnePiece(parts));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function inOnePiece(parts: readonly Uint8Array[]): Promise<BufferSource> {
  const [first] = parts;
  if (first && parts.length === 1) return first as Uint8Array<ArrayBuffer>;
  return new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer();
}
