import type { ExplanationResult } from '@whylight/contract';

/** Encodes a result as the bytes of `result.json`. */
export const encodeResult = (result: ExplanationResult): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(result, null, 2)}\n`);
