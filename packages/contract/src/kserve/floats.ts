import { KServeFault } from './fault.ts';
import { described } from './members.ts';

export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, side) => size * side, 1);

/** Reads the numbers of a tensor of that shape from nested JSON lists. @throws KServeFault that names the list at fault */
export function floatsOf(lists: unknown, shape: readonly number[], where: string): Float32Array {
  const data = new Float32Array(sizeOf(shape));
  fill(data, 0, lists, shape, where);
  return data;
}

/** Reads them from one flat list. @throws KServeFault */
export function floatsOfFlat(
  numbers: readonly unknown[],
  shape: readonly number[],
  where: string,
): Float32Array {
  const size = sizeOf(shape);
  if (numbers.length !== size)
    throw new KServeFault(
      400,
      `${where}: shape [${shape.join(', ')}] holds ${size} numbers; got ${numbers.length}`,
    );
  return floatsOf(numbers, [size], where);
}

function fill(
  data: Float32Array,
  at: number,
  list: unknown,
  [length = 0, ...below]: readonly number[],
  where: string,
): void {
  if (!Array.isArray(list) || list.length !== length)
    throw new KServeFault(
      400,
      `${where}: expected a list of ${length} ${below.length > 0 ? 'lists' : 'numbers'}; got ${described(list)}`,
    );
  const step = sizeOf(below);
  for (let i = 0; i < length; i++) {
    if (below.length > 0) {
      fill(data, at + i * step, list[i], below, `${where}[${i}]`);
      continue;
    }
    const value = list[i];
    data[at + i] = value;
    if (typeof value !== 'number' || !Number.isFinite(data[at + i]))
      throw new KServeFault(
        400,
        `${where}[${i}]: expected a number that FP32 holds; got ${described(value)}`,
      );
  }
}
