import type { FloatMap, Picture, Raster, Region } from './picture.ts';
import { floatMap, picture } from './picture.ts';
import type { Filter, Weights } from './resample.ts';
import { weights } from './resample.ts';

/** Pillow's 8-bit arithmetic: weights in fixed point with 32 - 8 - 2 fractional bits. */
const precision = 22;
const half = 1 << (precision - 1);

/**
 * Resizes as `PIL.Image.resize((width, height), filter)` does, channel by channel: across, then down, rounding to
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
  return picture(window.width, window.height, resizedLevels(source, width, height, filter, window));
}

/** Computes the levels of `resize` for a picture with any number of channels. */
export function resizedLevels(
  source: Raster & { readonly data: Uint8Array },
  width: number,
  height: number,
  filter: Filter,
  window: Region,
): Uint8Array {
  const { channels } = source;
  const across = fixedPoint(
    weights(filter, { from: source.width, to: width, start: window.x, length: window.width }),
  );
  const down = fixedPoint(
    weights(filter, { from: source.height, to: height, start: window.y, length: window.height }),
  );
  const top = down.first[0] ?? 0;
  const last = window.height - 1;
  const rows = window.height === 0 ? 0 : down.first[last]! + down.count[last]! - top;

  const between = new Uint8ClampedArray(window.width * rows * channels);
  const reduce = channels === 3 ? threeChannels : eachChannel;
  for (let y = 0; y < rows; y++)
    reduce(source, (top + y) * source.width * channels, across, between, y * window.width * channels);

  const line = window.width * channels;
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
  return new Uint8Array(data.buffer);
}

type FixedWeights = Weights & { fixed: Int32Array };

/** Resizes one row across; a photo's three channels at the same time, which is faster than one after the other. */
function threeChannels(
  { data }: Raster,
  line: number,
  { first, count, stride, fixed }: FixedWeights,
  to: Uint8ClampedArray,
  start: number,
): void {
  for (let x = 0; x < first.length; x++) {
    let at = line + first[x]! * 3;
    let weight = x * stride;
    let red = half;
    let green = half;
    let blue = half;
    for (const end = weight + count[x]!; weight < end; weight++, at += 3) {
      const w = fixed[weight]!;
      red += data[at]! * w;
      green += data[at + 1]! * w;
      blue += data[at + 2]! * w;
    }
    to[start + x * 3] = red >> precision;
    to[start + x * 3 + 1] = green >> precision;
    to[start + x * 3 + 2] = blue >> precision;
  }
}

function eachChannel(
  { data, channels }: Raster,
  line: number,
  { first, count, stride, fixed }: FixedWeights,
  to: Uint8ClampedArray,
  start: number,
): void {
  for (let x = 0; x < first.length; x++)
    for (let channel = 0; channel < channels; channel++) {
      let at = line + first[x]! * channels + channel;
      let weight = x * stride;
      let sum = half;
      for (const end = weight + count[x]!; weight < end; weight++, at += channels)
        sum += data[at]! * fixed[weight]!;
      to[start + x * channels + channel] = sum >> precision;
    }
}

/** Rounds half away from zero, as C's cast of ±0.5 + w·2²² does. */
const fixedPoint = (axis: Weights): FixedWeights => ({
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
 * Yields the rows of `resizeMap`, one after the other in one array that is used again: a map at the size of a large
 * photo is never in memory as a whole.
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
