import { KServeFault } from './fault.ts';

/** A tensor of an answer in V2's form. Texts are BYTES too. */
export type OutputTensor = {
  readonly name: string;
  readonly shape: readonly number[];
} & (
  | { readonly datatype: 'FP32'; readonly data: Float32Array }
  | { readonly datatype: 'INT64'; readonly data: BigInt64Array }
  | { readonly datatype: 'BYTES'; readonly data: readonly (string | Uint8Array)[] }
);

/** V2's header that says how many bytes of a body are JSON; the tensors' bytes follow them, in their order. */
export const jsonLengthHeader = 'Inference-Header-Content-Length';

/** Writes the tensor as JSON: files in base 64, as its `content_type` says. */
export function jsonTensor({ name, datatype, shape, data }: OutputTensor): object {
  const isFile = datatype === 'BYTES' && typeof data[0] !== 'string';
  return {
    ...{ name, datatype, shape },
    ...(isFile && { parameters: { content_type: 'base64' } }),
    data:
      datatype === 'BYTES'
        ? data.map((one) => (typeof one === 'string' ? one : base64Of(one)))
        : Array.from(data, Number),
  };
}

/** Writes its elements in V2's binary form: numbers little-endian, each of BYTES with its length before it. */
export function binaryTensor({ datatype, data }: OutputTensor): Uint8Array {
  if (datatype !== 'BYTES') return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return joined(
    data.flatMap((one) => {
      const bytes = typeof one === 'string' ? new TextEncoder().encode(one) : one;
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, bytes.length, true);
      return [length, bytes];
    }),
  );
}

/** One array with the bytes of all. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Bytes that one call turns into text: a call takes some ten thousand arguments. */
const chunk = 8_192;

function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += chunk)
    text += String.fromCharCode(...bytes.subarray(at, at + chunk));
  return btoa(text);
}

/** The elements of a BYTES tensor in V2's binary form. @throws KServeFault */
export function bytesElements(binary: Uint8Array, where: string): Uint8Array[] {
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < binary.length; ) {
    const end = at + 4 <= binary.length ? at + 4 + view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (end > binary.length)
      throw new KServeFault(
        400,
        `${where}: expected the elements of a BYTES tensor, each after its length in 4 bytes; element ${elements.length} goes beyond the ${binary.length} bytes that came`,
      );
    elements.push(binary.subarray(at + 4, end));
    at = end;
  }
  return elements;
}

/** FP32 elements in V2's binary form. @throws KServeFault for another number of bytes, and for NaN or infinity */
export function floatElements(binary: Uint8Array, count: number, where: string): Float32Array {
  if (binary.length !== count * 4)
    throw new KServeFault(
      400,
      `${where}: expected ${count * 4} bytes, 4 for each of ${count} elements; got ${binary.length}`,
    );
  // A copy is aligned for floats; the received bytes may lie anywhere in the body.
  const floats = new Float32Array(binary.slice().buffer);
  let zero = 0; // NaN as soon as one is not finite; a call for each would take milliseconds
  for (const value of floats) zero += value * 0;
  if (zero !== 0) throw new KServeFault(400, `${where}: expected finite numbers; got NaN or infinity`);
  return floats;
}
