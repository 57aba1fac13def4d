import { InputError } from './errors.ts';
import { type DType, dtypes, sizeOf, type Tensor, type TensorData } from './tensor.ts';

const codes: readonly (readonly [string, DType])[] = [
  ['<f4', 'float32'],
  ['<f8', 'float64'],
  ['<f2', 'float16'],
  ['|i1', 'int8'],
  ['|u1', 'uint8'],
  ['<i2', 'int16'],
  ['<u2', 'uint16'],
  ['<i4', 'int32'],
  ['<u4', 'uint32'],
  ['<i8', 'int64'],
  ['<u8', 'uint64'],
  ['|b1', 'bool'],
];

/**
 * Reads a NumPy array file (format 1 to 3, little-endian, C order; no objects).
 *
 * @throws InputError invalid_tensor
 * @see NumPy, `numpy.lib.format`
 */
export function readNpy(bytes: Uint8Array): Tensor {
  if (bytes.length < 10 || bytes[0] !== 0x93 || String.fromCharCode(...bytes.subarray(1, 6)) !== 'NUMPY')
    throw new InputError('invalid_tensor', 'the file is not a NumPy array (.npy)');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const short = bytes[6] === 1;
  if (bytes.length < (short ? 10 : 12)) throw new InputError('invalid_tensor', 'the .npy file is truncated');
  const start = short ? 10 : 12;
  const end = start + (short ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, end));
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const dtype = codes.find(([code]) => code === descr)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/
    .exec(header)?.[1]
    ?.split(',')
    .flatMap((d) => (d.trim() === '' ? [] : [Number(d)]));
  if (!dtype || !shape?.every((d) => d >= 0 && Number.isSafeInteger(d)))
    throw new InputError(
      'invalid_tensor',
      `the .npy file holds ${descr ?? 'an unknown type'}, which is not supported`,
    );
  if (/'fortran_order':\s*True/.test(header))
    throw new InputError('invalid_tensor', 'the .npy file is in Fortran order; save it in C order');
  const Data = dtypes[dtype];
  const length = sizeOf(shape);
  if (bytes.length - end < length * Data.BYTES_PER_ELEMENT)
    throw new InputError(
      'invalid_tensor',
      `the .npy file is truncated: shape [${shape}] needs ${length} elements`,
    );
  const data = new Uint8Array(bytes.subarray(end, end + length * Data.BYTES_PER_ELEMENT)); // a copy: aligned, even out of a Buffer
  return { dtype, shape, data: new Data(data.buffer, 0, length) as TensorData } as Tensor;
}

/** Writes a tensor as a NumPy array file, format 1. */
export function writeNpy({ dtype, shape, data }: Tensor): Uint8Array<ArrayBuffer> {
  const descr = codes.find(([, d]) => d === dtype)![0];
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${dims}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(length + data.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0]);
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(length - 11)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength), length);
  return bytes;
}
