import { type GraphFile, graphFileOf } from '@whylight/core';

/** Shared memory by the memory of which it is a copy, so that all graphs of a network share one copy. */
const copies = new WeakMap<ArrayBufferLike, SharedArrayBuffer>();

/** Puts the weights of a graph into memory that threads share. Otherwise each message to a thread would copy them. */
export function withSharedWeights(model: Uint8Array | GraphFile): GraphFile {
  const { bytes, weights } = graphFileOf(model);
  return { bytes, weights: new Map(Array.from(weights, ([name, data]) => [name, shared(data)])) };
}

function shared({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  if (buffer instanceof SharedArrayBuffer) return new Uint8Array(buffer, byteOffset, byteLength);
  let copy = copies.get(buffer);
  if (!copy) {
    copy = new SharedArrayBuffer(buffer.byteLength);
    new Uint8Array(copy).set(new Uint8Array(buffer));
    copies.set(buffer, copy);
  }
  return new Uint8Array(copy, byteOffset, byteLength);
}
