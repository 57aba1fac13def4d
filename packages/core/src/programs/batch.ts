import { float32, row, sizeOf, stacked, type Tensor } from '../tensor.ts';

// Cuts batches into the parts that a run takes, and joins them again.

/** Gives rows `start` to `end` - 1; shares memory with the batch. */
export function rowsOf<T extends Tensor>(batch: T, start: number, end: number): T {
  const size = sizeOf(batch.shape.slice(1));
  return {
    ...batch,
    shape: [end - start, ...batch.shape.slice(1)],
    data: batch.data.subarray(start * size, end * size),
  } as T;
}

/** Lists [0, chunk), [chunk, 2·chunk), … up to `count`. */
export const spans = (count: number, chunk: number): [start: number, end: number][] =>
  Array.from({ length: Math.ceil(count / chunk) }, (_, i) => [i * chunk, Math.min((i + 1) * chunk, count)]);

/** Repeats the last row of `part` until it has `size` rows, for a model with a baked-in batch. */
export function filled<T extends Tensor>(part: T, size: number | undefined): T {
  const missing = (size ?? 0) - part.shape[0]!;
  return missing > 0
    ? (stacked([part, ...Array<Tensor>(missing).fill(row(part, part.shape[0]! - 1))]) as T)
    : part;
}

/** Adds rows of zeros to `part` until it has `size` rows. */
export function zeroFilled<T extends Tensor>(part: T, size: number | undefined): T {
  const missing = (size ?? 0) - part.shape[0]!;
  if (missing <= 0) return part;
  const data = new (part.data.constructor as Float32ArrayConstructor)(
    (part.data.length / part.shape[0]!) * size!,
  );
  data.set(part.data as Float32Array);
  return { ...part, shape: [size!, ...part.shape.slice(1)], data } as T;
}

export const concatenated = (parts: readonly Tensor[]): Tensor<'float32'> =>
  parts.length === 1 ? (parts[0] as Tensor<'float32'>) : (stacked(parts) as Tensor<'float32'>);

export function added(total: Tensor<'float32'> | undefined, part: Tensor<'float32'>): Tensor<'float32'> {
  if (!total) return float32(part.shape, part.data.slice());
  const [sums, { data }] = [total.data, part];
  for (let i = 0; i < sums.length; i++) sums[i]! += data[i]!;
  return total;
}
