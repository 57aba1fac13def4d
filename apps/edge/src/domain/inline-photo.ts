import type { Instance } from '@whylight/contract';
import { Refusal, type RefusalCode } from './refusal.ts';

/** Finds the media type by the first bytes; undefined for all other types, whatever the sender states. */
function typeOf(text: string): string | undefined {
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  return text.startsWith('RIFF') && text.startsWith('WEBP', 8) ? 'image/webp' : undefined;
}

/** The photo of instance `index`. @throws Refusal `invalid_parameter`, `unsupported_media_type`. */
export function inlinePhoto(
  instance: Instance,
  index: number,
): { bytes: Uint8Array<ArrayBuffer>; type: string } {
  const refuse = (code: RefusalCode, message: string) =>
    new Refusal(code, `instances ${index}: ${message}`, [{ pointer: `/instances/${index}`, code, message }]);
  let text: string;
  try {
    text = atob(encodedIn(instance));
  } catch {
    throw refuse('invalid_parameter', 'Expected base 64.');
  }
  const type = typeOf(text);
  if (!type) throw refuse('unsupported_media_type', 'Expected a JPEG, PNG or WebP file.');
  return { bytes: Uint8Array.from(text, (char) => char.charCodeAt(0)), type };
}

function encodedIn(instance: Instance): string {
  if ('data' in instance) return instance.data;
  if ('b64' in instance) return instance.b64;
  return ('image' in instance ? instance.image : instance.image_bytes).b64;
}
