import { describe, expect, it } from 'vitest';
import { InputError } from './errors.ts';
import { readNpy, writeNpy } from './npy.ts';
import { float32, int64, tensor } from './tensor.ts';

const ascii = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** A file as numpy.save writes it. */
function npy(header: string, data: Uint8Array, version = 1): Uint8Array {
  const length =
    version === 1
      ? [header.length % 256, header.length >> 8]
      : [header.length % 256, header.length >> 8, 0, 0];
  return Uint8Array.from([0x93, ...ascii('NUMPY'), version, 0, ...length, ...ascii(header), ...data]);
}

describe('.npy', () => {
  it('reads what NumPy writes', () => {
    const data = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    for (const version of [1, 2])
      expect(readNpy(npy(`${header.padEnd(117)}\n`, data, version))).toEqual(
        float32([2, 3], [1, 2, 3, 4, 5, 6]),
      );
  });

  it('writes what it reads, 64-byte aligned, whatever the type or rank', () => {
    const tensors = [
      float32([], [1]),
      float32([3], [1, -0, 3]),
      float32([0, 2], []),
      int64([2, 1], [-1n, 2n ** 62n]),
      tensor('bool', [2], Uint8Array.of(1, 0)),
      tensor('float64', [1, 1, 1], Float64Array.of(Math.PI)),
    ];
    for (const t of tensors) {
      const bytes = writeNpy(t);
      expect(readNpy(bytes)).toEqual(t);
      expect((bytes.length - t.data.byteLength) % 64).toBe(0);
    }
  });

  it('reads out of the middle of a buffer', () => {
    const bytes = writeNpy(float32([2], [1.5, -2]));
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(readNpy(shifted.subarray(3)).data).toEqual(Float32Array.of(1.5, -2));
  });

  it.each([
    ['another file', ascii('\x89PNG and so on')],
    ['objects', npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", new Uint8Array(8))],
    [
      'big-endian numbers',
      npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", new Uint8Array(4)),
    ],
    ['Fortran order', npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", new Uint8Array(4))],
    [
      'fewer elements than it says',
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", new Uint8Array(4)),
    ],
    ['a negative size', npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", new Uint8Array(4))],
    [
      'a size beyond all memory',
      npy(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740991, 9007199254740991), }",
        new Uint8Array(4),
      ),
    ],
    ['a header cut off', npy("{'descr'", new Uint8Array(0))],
    ['a header length cut off', Uint8Array.from([0x93, ...ascii('NUMPY'), 2, 0, 1, 1])],
  ])('refuses %s', (_, bytes) => {
    expect(() => readNpy(bytes)).toThrow(InputError);
  });
});
