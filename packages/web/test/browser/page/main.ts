import * as drawing from '@whylight/core/drawing';
import * as web from '../../../src/index.ts';

/** What the tests and the benchmark call in the page. */
Object.assign(globalThis, { web, drawing, base64Of });

/** Numbers as text: Playwright hands large arrays over one number at a time. */
function base64Of({ buffer, byteOffset, byteLength }: Uint8Array | Uint8ClampedArray | Float32Array): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
