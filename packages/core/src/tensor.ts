/** Plain n-dimensional arrays in C order: data only, no operations. */

export const dtypes = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

export type DType = keyof typeof dtypes;
export type TensorData = InstanceType<(typeof dtypes)[DType]>;

export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: InstanceType<(typeof dtypes)[D]>;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A tensor that is stored as bytes; its `data` is a copy of these bytes. */
export interface HeldAsBytes {
  readonly raw: Uint8Array<ArrayBuffer>;
}

/** Returns the bytes of a tensor's data; shares memory. */
export function bytesOf(value: Tensor | (Tensor & HeldAsBytes)): Uint8Array<ArrayBuffer> {
  if ('raw' in value) return value.raw;
  const { data } = value;
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

/** Counts the bytes of a tensor's data. */
export const byteLengthOf = ({ dtype, shape }: Tensor): number =>
  sizeOf(shape) * dtypes[dtype].BYTES_PER_ELEMENT;

/** @throws RangeError when the data's length is not the product of the shape. */
export function tensor<D extends DType>(
  dtype: D,
  shape: readonly number[],
  data: InstanceType<(typeof dtypes)[D]>,
): Tensor<D> {
  if (data.length !== sizeOf(shape))
    throw new RangeError(`tensor: shape [${shape}] holds ${sizeOf(shape)} elements, got ${data.length}`);
  return { dtype, shape, data };
}

export const float32 = (
  shape: readonly number[],
  data: Float32Array | readonly number[],
): Tensor<'float32'> =>
  tensor(
    'float32',
    shape,
    data instanceof Float32Array ? (data as Float32Array<ArrayBuffer>) : Float32Array.from(data),
  );

export const int64 = (shape: readonly number[], values: readonly (number | bigint)[]): Tensor<'int64'> =>
  tensor('int64', shape, BigInt64Array.from(values, BigInt));

/** Returns row `n` of a batch as a batch of size 1; shares memory. */
export function row<D extends DType>(batch: Tensor<D>, n: number): Tensor<D> {
  const size = sizeOf(batch.shape.slice(1));
  const data = batch.data.subarray(n * size, (n + 1) * size) as InstanceType<(typeof dtypes)[D]>;
  return tensor(batch.dtype, [1, ...batch.shape.slice(1)], data);
}

/** Concatenates tensors of one type along the first axis. */
export function stacked<D extends DType>(parts: readonly Tensor<D>[]): Tensor<D> {
  const { dtype, shape } = parts[0]!;
  const Data = dtypes[dtype] as Float32ArrayConstructor;
  const data = new Data(parts.reduce((n, part) => n + part.data.length, 0));
  let offset = 0;
  for (const part of parts) {
    data.set(part.data as Float32Array, offset);
    offset += part.data.length;
  }
  const rows = parts.reduce((n, part) => n + part.shape[0]!, 0);
  return tensor(dtype, [rows, ...shape.slice(1)], data as unknown as Tensor<D>['data']);
}
