import type { Upload } from '@whylight/contract';

export interface Announced {
  readonly content_type: string;
  readonly content_length: number;
  readonly sha256: string;
  readonly created_at: string;
}

export interface Stored {
  readonly bytes: number;
  readonly contentType: string;
  /** Base 64; null if the store keeps no checksums (the worker hashes the bytes that it reads anyway). */
  readonly sha256: string | null;
}

/** Gives the status of an upload, by the object in the store. `lifetime` is the lifetime of its URL, in seconds. */
export function uploadStatus(
  announced: Announced,
  stored: Stored | null,
  lifetime: number,
  now: number,
): Upload['status'] {
  if (!stored) return now < Date.parse(announced.created_at) + lifetime * 1000 ? 'pending' : 'expired';
  const same =
    stored.bytes === announced.content_length &&
    stored.contentType === announced.content_type &&
    (stored.sha256 === null || stored.sha256 === base64OfHex(announced.sha256));
  return same ? 'ready' : 'rejected';
}

/** The headers that the signed PUT binds. */
export const boundHeaders = ({
  content_type,
  content_length,
  sha256,
}: Announced): Record<string, string> => ({
  'content-type': content_type,
  'content-length': String(content_length),
  'x-amz-checksum-sha256': base64OfHex(sha256),
  'if-none-match': '*',
});

const base64OfHex = (hex: string): string =>
  btoa(String.fromCharCode(...(hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))));
