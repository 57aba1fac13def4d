import { Refusal } from './refusal.ts';

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
        ? data.map((one) => (typeof one === 'string' ? one : Buffer.from(one).toString('base64')))
        : Array.from(data, Number),
  };
}

/** Writes its elements in V2's binary form: numbers little-endian, each of BYTES with its length before it. */
export function binaryTensor({ datatype, data }: OutputTensor): Uint8Array {
  if (datatype !== 'BYTES') return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat(
    data.flatMap((one) => {
      const bytes = Buffer.from(one);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** The elements of a BYTES tensor in V2's binary form. @throws Refusal */
export function bytesElements(binary: Uint8Array, where: string): Uint8Array[] {
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < binary.length; ) {
    const end = at + 4 <= binary.length ? at + 4 + view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (end > binary.length)
      throw new Refusal(
        400,
        `${where}: expected the elements of a BYTES tensor, each after its length in 4 bytes; element ${elements.length} goes beyond the ${binary.length} bytes that came`,
      );
    elements.push(binary.subarray(at + 4, end));
    at = end;
  }
  return elements;
}

/** FP32 elements in V2's binary form. @throws Refusal for another number of bytes, and for NaN or infinity */
export function floatElements(binary: Uint8Array, count: number, where: string): Float32Array {
  if (binary.length !== count * 4)
    throw new Refusal(
      400,
      `${where}: expected ${count * 4} bytes, 4 for each of ${count} elements; got ${binary.length}`,
    );
  // A copy is aligned for floats; the received bytes may lie anywhere in the body.
  const floats = new Float32Array(binary.slice().buffer);
  let zero = 0; // NaN as soon as one is not finite; a call for each would take milliseconds
  for (const value of floats) zero += value * 0;
  if (zero !== 0) throw new Refusal(400, `${where}: expected finite numbers; got NaN or infinity`);
  return floats;
}
