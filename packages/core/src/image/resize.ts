import type { FloatMap, Picture, Region } from './picture.ts';
import { floatMap, picture } from './picture.ts';
import type { Filter, Weights } from './resample.ts';
import { weights } from './resample.ts';

/** Pillow's 8-bit arithmetic: weights in fixed point with 32 - 8 - 2 fractional bits. */
const precision = 22;
const half = 1 << (precision - 1);

/**
 * Resizes as `PIL.Image.resize((width, height), filter)` does, pixel by pixel: across, then down, rounding to
 * 8 bits in between. With a `window` (whole pixels of the result) only that part is computed, so that a crop of
 * a very long picture costs no more than the crop.
 */
export function resize(
  source: Picture,
  width: number,
  height: number,
  filter: Filter,
  window: Region = { x: 0, y: 0, width, height },
): Picture {
  const across = fixedPoint(
    weights(filter, { from: source.width, to: width, start: window.x, length: window.width }),
  );
  const down = fixedPoint(
    weights(filter, { from: source.height, to: height, start: window.y, length: window.height }),
  );
  const top = down.first[0] ?? 0;
  const last = window.height - 1;
  const rows = window.height === 0 ? 0 : down.first[last]! + down.count[last]! - top;

  const between = new Uint8ClampedArray(window.width * rows * 3);
  for (let y = 0; y < rows; y++) {
    const line = (top + y) * source.width * 3;
    for (let x = 0; x < window.width; x++) {
      let at = line + across.first[x]! * 3;
      let weight = x * across.stride;
      let red = half;
      let green = half;
      let blue = half;
      for (const end = weight + across.count[x]!; weight < end; weight++, at += 3) {
        const w = across.fixed[weight]!;
        red += source.data[at]! * w;
        green += source.data[at + 1]! * w;
        blue += source.data[at + 2]! * w;
      }
      const to = (y * window.width + x) * 3;
      between[to] = red >> precision;
      between[to + 1] = green >> precision;
      between[to + 2] = blue >> precision;
    }
  }

  const line = window.width * 3;
  const data = new Uint8ClampedArray(line * window.height);
  for (let y = 0; y < window.height; y++) {
    const begin = (down.first[y]! - top) * line;
    for (let x = 0; x < line; x++) {
      let at = begin + x;
      let sum = half;
      let weight = y * down.stride;
      for (const end = weight + down.count[y]!; weight < end; weight++, at += line)
        sum += between[at]! * down.fixed[weight]!;
      data[y * line + x] = sum >> precision;
    }
  }
  return picture(window.width, window.height, new Uint8Array(data.buffer));
}

/** Rounds half away from zero, as C's cast of ±0.5 + w·2²² does. */
const fixedPoint = (axis: Weights): Weights & { fixed: Int32Array } => ({
  ...axis,
  fixed: Int32Array.from(axis.values, (w) => Math.trunc(w * 2 ** precision + (w < 0 ? -0.5 : 0.5))),
});

/** Resizes as Pillow does in mode 'F': sums in double precision, float32 between the two passes. */
export function resizeMap(
  source: FloatMap,
  width: number,
  height: number,
  filter: Filter,
  options: { antialias?: boolean } = {},
): FloatMap {
  const data = new Float32Array(width * height);
  let at = 0;
  for (const row of resizedRows(source, width, height, filter, options)) {
    data.set(row, at);
    at += width;
  }
  return floatMap(width, height, data);
}

/**
 * The rows of `resizeMap`, one after the other in one array that is used again: a map at the size of a large
 * photo never stands in memory whole.
 */
export function* resizedRows(
  source: FloatMap,
  width: number,
  height: number,
  filter: Filter,
  { antialias = true }: { antialias?: boolean } = {},
): Generator<Float32Array> {
  const across = weights(filter, { from: source.width, to: width }, antialias);
  const down = weights(filter, { from: source.height, to: height }, antialias);
  const between = new Float32Array(width * source.height);
  for (let y = 0; y < source.height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * source.width + across.first[x]!;
      let sum = 0;
      for (let k = 0; k < across.count[x]!; k++)
        sum += source.data[at + k]! * across.values[x * across.stride + k]!;
      between[y * width + x] = sum;
    }
  const row = new Float32Array(width);
  for (let y = 0; y < height; y++) {
    const at = down.first[y]! * width;
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < down.count[y]!; k++)
        sum += between[at + k * width + x]! * down.values[y * down.stride + k]!;
      row[x] = sum;
    }
    yield row;
  }
}
