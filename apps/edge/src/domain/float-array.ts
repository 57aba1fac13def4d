/** An array of floats as NumPy stores it. */
export interface FloatArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Length of the magic string, the version and the length of the header in NumPy's format 1.0. */
const prefix = 10;

/** Reads an `attribution.npy`, as a worker writes it: format 1.0, little-endian float32, in the order of rows. */
export function readFloats(file: Uint8Array<ArrayBuffer>): FloatArray {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = file.length < prefix ? 0 : prefix + view.getUint16(8, true);
  const header = new TextDecoder('latin1').decode(file.subarray(prefix, start));
  const [, sides] = /'shape': \(([\d, ]*)\)/.exec(header) ?? [];
  if (!header.includes("'<f4'") || !header.includes("'fortran_order': False") || sides === undefined)
    throw new Error('attribution.npy: expected float32 in the order of rows');
  const shape = sides.split(',').flatMap((side) => (side.trim() === '' ? [] : [Number(side)]));
  // A copy is aligned for floats.
  const data = new Float32Array(file.slice(start).buffer);
  if (data.length !== shape.reduce((size, side) => size * side, 1))
    throw new Error(`attribution.npy: expected the shape [${shape.join(', ')}]; got ${data.length} numbers`);
  return { shape, data };
}
