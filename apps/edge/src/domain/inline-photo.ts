import type { Instance } from '@whylight/contract';
import { Refusal, type RefusalCode } from './refusal.ts';

/** A photo in the body of a request. */
export interface InlinePhoto {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** A photo as it was sent: a file, or its base 64. */
export interface SentPhoto {
  readonly file: Uint8Array | string;
  /** Where it stands, for people and as a JSON pointer. */
  readonly place: string;
  readonly pointer: string;
}

/** Finds the media type by the first bytes; undefined for all other types, whatever the sender states. */
function typeOf(bytes: Uint8Array): string | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, 12));
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  return text.startsWith('RIFF') && text.startsWith('WEBP', 8) ? 'image/webp' : undefined;
}

/** Reads a photo of a body. @throws Refusal `invalid_parameter`, `unsupported_media_type`. */
export function readInlinePhoto({ file, place, pointer }: SentPhoto): InlinePhoto {
  const refuse = (code: RefusalCode, message: string) =>
    new Refusal(code, `${place}: ${message}`, [{ pointer, code, message }]);
  const bytes = typeof file === 'string' ? decoded(file) : new Uint8Array(file);
  if (!bytes) throw refuse('invalid_parameter', 'Expected base 64.');
  const type = typeOf(bytes);
  if (!type) throw refuse('unsupported_media_type', 'Expected a JPEG, PNG or WebP file.');
  return { bytes, type };
}

function decoded(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

/** The photo of instance `index`, in any of the forms that clients of other services send. */
export const photoOfInstance = (instance: Instance, index: number): SentPhoto => ({
  file: encodedIn(instance),
  place: `instances ${index}`,
  pointer: `/instances/${index}`,
});

function encodedIn(instance: Instance): string {
  if ('data' in instance) return instance.data;
  if ('b64' in instance) return instance.b64;
  return ('image' in instance ? instance.image : instance.image_bytes).b64;
}
