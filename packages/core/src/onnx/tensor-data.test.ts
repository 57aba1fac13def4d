import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { bytesOf as tensorBytes } from '../tensor.ts';
import { onnxFile, type TensorInit } from '../testing/onnx-file.ts';
import { TensorDefSchema } from './generated/onnx_pb.js';
import { readModel } from './read.ts';
import { readTensor } from './tensor-data.ts';

const bytesOf = (data: ArrayBufferView) =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
const read = (tensor: TensorInit) => readTensor(create(TensorDefSchema, tensor), 'w');

describe('every encoding of a tensor gives its elements', () => {
  it.each([
    ['float32', 1, { floatData: [1.5, -2] }, Float32Array.of(1.5, -2)],
    ['float64', 11, { doubleData: [1.5, -2] }, Float64Array.of(1.5, -2)],
    ['int64', 7, { int64Data: [-1n, 2n ** 62n] }, BigInt64Array.of(-1n, 2n ** 62n)],
    ['uint64', 13, { uint64Data: [1n, 2n ** 63n] }, BigUint64Array.of(1n, 2n ** 63n)],
    ['uint32', 12, { uint64Data: [1n, 2n ** 31n] }, Uint32Array.of(1, 2 ** 31)],
    ['int32', 6, { int32Data: [-1, 7] }, Int32Array.of(-1, 7)],
    ['int16', 5, { int32Data: [-1, 7] }, Int16Array.of(-1, 7)],
    ['uint16', 4, { int32Data: [1, 65535] }, Uint16Array.of(1, 65535)],
    ['int8', 3, { int32Data: [-128, 7] }, Int8Array.of(-128, 7)],
    ['uint8', 2, { int32Data: [1, 255] }, Uint8Array.of(1, 255)],
    ['bool', 9, { int32Data: [1, 0] }, Uint8Array.of(1, 0)],
    ['float16', 10, { int32Data: [0x3c00, 0xc000] }, Uint16Array.of(0x3c00, 0xc000)],
  ] as const)('%s', (dtype, dataType, typed, data) => {
    const expected = { dtype, shape: [2], data };
    expect(read({ dims: [2n], dataType, ...(typed as object) })).toEqual(expected);
    expect(read({ dims: [2n], dataType, rawData: bytesOf(data) })).toEqual(expected);
  });

  it('bytes that are only passed on stay those of the file, and follow what is made of the tensor', () => {
    for (const shift of [0, 1, 4]) {
      const file = Buffer.alloc(8 + shift);
      file.set(bytesOf(Float32Array.of(1.5, -2)), shift);
      const tensor = read({ dims: [2n], dataType: 1, rawData: file.subarray(shift) });
      const passed = tensorBytes(tensor);
      expect([passed.buffer, passed.byteOffset]).toEqual([file.buffer, file.byteOffset + shift]);
      expect(tensorBytes({ ...tensor })).toEqual(passed);
      expect(tensorBytes({ ...tensor, data: Float32Array.of(7) })).toEqual(bytesOf(Float32Array.of(7)));
    }
  });

  it('raw data anywhere in the file, even where floats cannot be viewed in place', () => {
    for (let shift = 0; shift < 8; shift++) {
      const backing = new Uint8Array(8 + shift);
      backing.set(bytesOf(Float32Array.of(1.5, -2)), shift);
      expect(read({ dims: [2n], dataType: 1, rawData: backing.subarray(shift) }).data).toEqual(
        Float32Array.of(1.5, -2),
      );
    }
  });

  it('scalars, and tensors without elements', () => {
    expect(read({ dims: [], dataType: 1, floatData: [3] })).toEqual({
      dtype: 'float32',
      shape: [],
      data: Float32Array.of(3),
    });
    expect(read({ dims: [0n], dataType: 7 })).toEqual({
      dtype: 'int64',
      shape: [0],
      data: new BigInt64Array(),
    });
  });

  it('repeated numbers packed, as proto3 writes them, or one by one, as proto2 does', () => {
    const file = onnxFile({ initializer: [{ name: 'w', dims: [2n], dataType: 1, floatData: [1.5, -2] }] });
    const packedDims = [0x0a, 0x01, 0x02];
    const packedFloats = [0x22, 0x08, ...bytesOf(Float32Array.of(1.5, -2))];
    const tensor = [...packedDims, 0x10, 0x01, ...packedFloats, 0x42, 0x01, 0x77];
    const [a, b] = [bytesOf(Float32Array.of(1.5)), bytesOf(Float32Array.of(-2))];
    const unpacked = [0x08, 0x02, 0x10, 0x01, 0x25, ...a, 0x25, ...b, 0x42, 0x01, 0x77];
    const at = indexOf(file, tensor);
    expect(at).toBeGreaterThan(0);
    const graphAt = file.indexOf(0x3a, 0); // model.graph, whose length fits one byte
    const patched = [
      ...file.slice(0, at - 1),
      unpacked.length,
      ...unpacked,
      ...file.slice(at + tensor.length),
    ];
    patched[graphAt + 1] = file[graphAt + 1]! + unpacked.length - tensor.length;
    expect(readModel(Uint8Array.from(patched)).graph.constants).toEqual(readModel(file).graph.constants);
  });
});

function indexOf(bytes: Uint8Array, part: readonly number[]): number {
  return bytes.findIndex((_, i) => part.every((b, k) => bytes[i + k] === b));
}
