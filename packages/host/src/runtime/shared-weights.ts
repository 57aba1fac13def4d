import { type GraphFile, graphFileOf } from '@whylight/core';

/** Memory that threads share, by what it is a copy of: all graphs of a network have one copy. */
const copies = new WeakMap<ArrayBufferLike, SharedArrayBuffer>();

/** The graph with its weights in memory that another thread can see: what is sent there is copied otherwise, each time. */
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
