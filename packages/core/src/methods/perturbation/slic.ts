/** Pixels [height, width, channels], row by row. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float64Array;
}

export interface SlicOptions {
  /** The approximate number of segments. */
  readonly segments: number;
  /** The weight of distance in space relative to distance in colour. */
  readonly compactness: number;
}

/**
 * Finds SLIC superpixels, [height, width], numbered from 1 like `skimage.segmentation.slic`: colours in CIELAB for 3
 * channels, centres from a regular grid, ten rounds of k-means over colour and place within two steps of a centre, then
 * segments below half the mean join a neighbour. A piece at the first pixels that has no neighbour yet is 0.
 *
 * @see Achanta et al., "SLIC Superpixels Compared to State-of-the-art Superpixel Methods", 2012
 */
export function slic(pixels: Pixels, { segments: wanted, compactness }: SlicOptions): Int32Array {
  const { height, width } = pixels;
  const [down, across] = gridOf(height, width, wanted);
  const centres = startsOf(down, height).flatMap((y) => startsOf(across, width).map((x) => [y, x] as const));
  const features = coloursOf(pixels, 1 / compactness);
  // The reach of a centre is computed again, from the actual number of centres.
  const reach = gridOf(height, width, centres.length).map(({ step }) => 2 * step) as [number, number];
  const nearest = clustered(features, centres, reach, Math.max(down.step, across.step));
  const mean = (height * width) / centres.length;
  return connected(nearest, height, width, Math.trunc(0.5 * mean), Math.trunc(3 * mean));
}

interface Steps {
  readonly start: number;
  readonly step: number;
}

const startsOf = ({ start, step }: Steps, length: number): number[] =>
  Array.from({ length: Math.ceil((length - start) / step) }, (_, i) => start + i * step);

/** Makes a regular grid of about `wanted` points, with cells as close to squares as the sides allow. */
function gridOf(height: number, width: number, wanted: number): [Steps, Steps] {
  if (height * width <= wanted)
    return [
      { start: 0, step: 1 },
      { start: 0, step: 1 },
    ];
  const [short, long] = [Math.min(height, width), Math.max(height, width)];
  const even = Math.sqrt((short * long) / wanted);
  const steps = short < even ? [short, long / wanted] : [even, even];
  const of = (step: number): Steps => ({ start: Math.floor(step / 2), step: roundedToEven(step) });
  const [ofShort, ofLong] = steps.map(of) as [Steps, Steps];
  return height <= width ? [ofShort, ofLong] : [ofLong, ofShort];
}

function roundedToEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

/** Scales colours between the image's least and greatest value, times a factor; in CIELAB if there are three. */
function coloursOf({ data, ...pixels }: Pixels, factor: number): Pixels {
  const low = data.reduce((a, b) => Math.min(a, b));
  const range = data.reduce((a, b) => Math.max(a, b)) - low || 1;
  const scaled = data.map((v) => (v - low) / range);
  const colours = pixels.channels === 3 ? cielab(scaled) : scaled;
  return { ...pixels, data: colours.map((v) => v * factor) };
}

const toXyz = [
  [0.412453, 0.35758, 0.180423],
  [0.212671, 0.71516, 0.072169],
  [0.019334, 0.119193, 0.950227],
] as const;
/** Daylight, D65 seen at 2°. */
const white = [0.95047, 1, 1.08883] as const;

/** Converts sRGB values from 0 to 1 to L*, a* and b*. */
function cielab(rgb: Float64Array): Float64Array {
  const linear = rgb.map((v) => (v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92));
  const lab = new Float64Array(rgb.length);
  for (let i = 0; i < rgb.length; i += 3) {
    const [x, y, z] = toXyz.map(([r, g, b], k) => {
      const share = (r * linear[i]! + g * linear[i + 1]! + b * linear[i + 2]!) / white[k]!;
      return share > 0.008856 ? Math.cbrt(share) : 7.787 * share + 16 / 116;
    }) as [number, number, number];
    lab.set([116 * y - 16, 500 * (x - y), 200 * (y - z)], i);
  }
  return lab;
}

const rounds = 10;

/** Finds the nearest centre of each pixel, after k-means of colour and place within two steps of each centre. */
function clustered(
  { data, height, width, channels }: Pixels,
  centres: readonly (readonly [number, number])[],
  [down, across]: readonly [number, number],
  step: number,
): Int32Array {
  const size = 2 + channels;
  const weight = 1 / step ** 2;
  const means = new Float64Array(centres.length * size);
  centres.forEach((centre, k) => {
    means.set(centre, k * size);
  });
  const nearest = new Int32Array(height * width).fill(-1);
  const distance = new Float64Array(height * width);
  for (let round = 0; round < rounds; round++) {
    distance.fill(Number.MAX_VALUE);
    for (let k = 0; k < centres.length; k++) {
      const [cy, cx] = [means[k * size]!, means[k * size + 1]!];
      if (Number.isNaN(cy)) continue; // a centre that no pixel is nearest to
      const bottom = Math.min(cy + down + 1, height);
      const right = Math.min(cx + across + 1, width);
      for (let y = Math.trunc(Math.max(cy - down, 0)); y < Math.trunc(bottom); y++)
        for (let x = Math.trunc(Math.max(cx - across, 0)); x < Math.trunc(right); x++) {
          const at = y * width + x;
          let colour = 0;
          for (let c = 0; c < channels; c++)
            colour += (data[at * channels + c]! - means[k * size + 2 + c]!) ** 2;
          const found = ((cy - y) ** 2 + (cx - x) ** 2) * weight + colour;
          if (!(distance[at]! > found)) continue;
          nearest[at] = k;
          distance[at] = found;
        }
    }
    means.fill(0);
    const counts = new Float64Array(centres.length);
    for (let at = 0; at < nearest.length; at++) {
      const k = nearest[at]!;
      if (k < 0) continue;
      counts[k]! += 1;
      means[k * size]! += Math.floor(at / width);
      means[k * size + 1]! += at % width;
      for (let c = 0; c < channels; c++) means[k * size + 2 + c]! += data[at * channels + c]!;
    }
    for (let i = 0; i < means.length; i++) means[i]! /= counts[Math.floor(i / size)]!;
  }
  return nearest;
}

/** Numbers connected pieces from 1, row by row: pieces below `least` join a neighbour, pieces are cut at `most`. */
function connected(
  labels: Int32Array,
  height: number,
  width: number,
  least: number,
  most: number,
): Int32Array {
  const found = new Int32Array(labels.length);
  const queue = new Int32Array(Math.max(most, 1));
  let next = 1;
  for (let start = 0; start < labels.length; start++) {
    if (found[start] !== 0) continue;
    let beside = 0;
    let size = 1;
    found[start] = next;
    queue[0] = start;
    for (let visited = 0; visited < size && size < most; visited++) {
      const at = queue[visited]!;
      const [x, y] = [at % width, Math.floor(at / width)];
      const around = [
        x + 1 < width ? at + 1 : -1,
        x > 0 ? at - 1 : -1,
        y + 1 < height ? at + width : -1,
        y > 0 ? at - width : -1,
      ];
      for (const neighbour of around) {
        if (neighbour < 0) continue;
        if (found[neighbour] === 0 && labels[neighbour] === labels[start]) {
          found[neighbour] = next;
          queue[size++] = neighbour;
          if (size >= most) break;
        } else if (found[neighbour] !== 0 && found[neighbour] !== next) beside = found[neighbour]!;
      }
    }
    if (size >= least) next++;
    else for (let i = 0; i < size; i++) found[queue[i]!] = beside;
  }
  return found;
}
