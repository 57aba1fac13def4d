import { roundHalfToEven } from './geometry.ts';
import type { Raster, Region } from './picture.ts';

/**
 * Resizes 8-bit pictures exactly as `cv2.resize` does: INTER_LINEAR in fixed point and without antialiasing, INTER_AREA
 * in float32. As in OpenCV, INTER_LINEAR at exactly half the size is INTER_AREA, and INTER_AREA that does not shrink
 * both sides is linear interpolation with corners of pixels in place of centres.
 */
export function resizedAsOpenCv(
  source: Raster & { readonly data: Uint8Array },
  width: number,
  height: number,
  kind: 'linear' | 'area',
  window: Region,
): Uint8Array {
  const shrink = source.width >= width && source.height >= height;
  const half = source.width === 2 * width && source.height === 2 * height;
  if (half || (kind === 'area' && shrink)) return areas(source, width, height, window);
  const place = kind === 'area' ? cornerOf : centreOf;
  const across = places(place, { from: source.width, to: width, start: window.x, length: window.width });
  const down = places(place, { from: source.height, to: height, start: window.y, length: window.height });
  return linear(source, across, down);
}

const f = Math.fround;

/** Computes the number of inputs per output, rounded as in OpenCV. */
const scaleOf = (from: number, to: number): number => 1 / (to / from);

/** The position of an output among the inputs: input `first`, and the part of the distance from it to the next. */
type Place = (i: number, from: number, to: number) => { first: number; beyond: number };

const centreOf: Place = (i, from, to) => {
  const position = f((i + 0.5) * scaleOf(from, to) - 0.5);
  const first = Math.floor(position);
  return { first, beyond: f(position - first) };
};

const cornerOf: Place = (i, from, to) => {
  const first = Math.floor(i * scaleOf(from, to));
  const position = f(i + 1 - (first + 1) * (to / from));
  return { first, beyond: position <= 0 ? 0 : f(position - Math.floor(position)) };
};

interface Places {
  readonly first: Int32Array;
  /** Weights of the first input and the one after it, in 1/2048. */
  readonly weights: Int32Array;
  /** Number of inputs. */
  readonly from: number;
}

interface Axis {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly length: number;
}

function places(place: Place, { from, to, start, length }: Axis): Places {
  const first = new Int32Array(length);
  const weights = new Int32Array(2 * length);
  for (let i = 0; i < length; i++) {
    const at = place(start + i, from, to);
    first[i] = at.first;
    weights[2 * i] = roundHalfToEven(f(f(1 - at.beyond) * 2048));
    weights[2 * i + 1] = roundHalfToEven(f(at.beyond * 2048));
  }
  return { first, weights, from };
}

function linear({ data, width, channels }: Raster, across: Places, down: Places): Uint8Array {
  const columns = across.first.length;
  const out = new Uint8ClampedArray(columns * channels * down.first.length);
  const rows = new Map<number, Int32Array>();
  const row = (y: number): Int32Array => {
    const known = rows.get(y);
    if (known) return known;
    const made = new Int32Array(columns * channels);
    for (let x = 0; x < columns; x++) {
      // Across, a pixel beyond the edge gives all its weight to the edge pixel, which keeps the sum exact.
      const before = across.first[x]! < 0;
      const last = across.first[x]! >= across.from - 1;
      const left = before ? 0 : last ? across.from - 1 : across.first[x]!;
      const [a, b] = before || last ? [2048, 0] : [across.weights[2 * x]!, across.weights[2 * x + 1]!];
      const at = (y * width + left) * channels;
      const step = b === 0 ? 0 : channels;
      for (let c = 0; c < channels; c++)
        made[x * channels + c] = data[at + c]! * a + data[at + step + c]! * b;
    }
    if (rows.size > 1) rows.delete(rows.keys().next().value!);
    rows.set(y, made);
    return made;
  };
  const clamped = (y: number) => Math.min(Math.max(y, 0), down.from - 1);
  for (let y = 0; y < down.first.length; y++) {
    const upper = row(clamped(down.first[y]!));
    const lower = row(clamped(down.first[y]! + 1));
    const [a, b] = [down.weights[2 * y]!, down.weights[2 * y + 1]!];
    for (let i = 0; i < upper.length; i++)
      out[y * upper.length + i] = (((a * (upper[i]! >> 4)) >> 16) + ((b * (lower[i]! >> 4)) >> 16) + 2) >> 2;
  }
  return new Uint8Array(out.buffer);
}

/** The inputs that an output covers, and the share of the output that each input makes up. */
interface Cover {
  readonly first: number;
  readonly shares: readonly number[];
}

/** OpenCV ignores shares of less than a thousandth of an input. */
const least = 1e-3;

function covers({ from, to, start, length }: Axis): Cover[] {
  const scale = scaleOf(from, to);
  return Array.from({ length }, (_, i) => {
    const begin = (start + i) * scale;
    const end = begin + scale;
    const cell = Math.min(scale, from - begin);
    const last = Math.min(Math.floor(end), from - 1);
    const first = Math.min(Math.ceil(begin), last);
    const shares: number[] = [];
    const leading = first - begin > least;
    if (leading) shares.push(f((first - begin) / cell));
    for (let k = first; k < last; k++) shares.push(f(1 / cell));
    if (end - last > least) shares.push(f(Math.min(end - last, 1, cell) / cell));
    return { first: leading ? first - 1 : first, shares };
  });
}

function areas(
  source: Raster & { readonly data: Uint8Array },
  width: number,
  height: number,
  window: Region,
): Uint8Array {
  const [across, down] = [source.width / width, source.height / height];
  if (Number.isInteger(across) && Number.isInteger(down)) return blocks(source, across, down, window);
  const columns = covers({ from: source.width, to: width, start: window.x, length: window.width });
  const rows = covers({ from: source.height, to: height, start: window.y, length: window.height });
  const { data, channels } = source;
  const out = new Uint8ClampedArray(window.width * window.height * channels);
  rows.forEach(({ first, shares }, y) => {
    const sums = new Float32Array(window.width * channels);
    shares.forEach((beta, k) => {
      const line = (first + k) * source.width;
      columns.forEach((column, x) => {
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          column.shares.forEach((alpha, j) => {
            sum = f(sum + f(data[(line + column.first + j) * channels + c]! * alpha));
          });
          sums[x * channels + c] = f(sums[x * channels + c]! + f(beta * sum));
        }
      });
    });
    out.set(sums.map(roundHalfToEven), y * sums.length);
  });
  return new Uint8Array(out.buffer);
}

/** Averages whole blocks of pixels; a half is rounded up for blocks of two by two, else to the even level. */
function blocks({ data, width, channels }: Raster, across: number, down: number, window: Region): Uint8Array {
  const out = new Uint8ClampedArray(window.width * window.height * channels);
  const share = f(1 / (across * down));
  const mean =
    across === 2 && down === 2
      ? (sum: number) => (sum + 2) >> 2
      : (sum: number) => roundHalfToEven(f(sum * share));
  for (let y = 0; y < window.height; y++)
    for (let x = 0; x < window.width; x++)
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let v = 0; v < down; v++)
          for (let u = 0; u < across; u++)
            sum += data[(((window.y + y) * down + v) * width + (window.x + x) * across + u) * channels + c]!;
        out[(y * window.width + x) * channels + c] = mean(sum);
      }
  return new Uint8Array(out.buffer);
}
