import type { Pixels } from '../perturbation/slic.ts';

/** Edges between neighbouring pixels, sorted by rising cost. */
export interface Edges {
  readonly pixels: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly costs: Float64Array;
}

/**
 * Segments pixels, numbered from 0, like `skimage.segmentation.felzenszwalb`: by rising cost, each edge joins its two
 * segments if cheaper than greatest inner cost + scale/(255·size) of each; then those under `least` pixels join others.
 *
 * @param scale a larger scale gives larger segments
 * @see Felzenszwalb & Huttenlocher, "Efficient Graph-Based Image Segmentation", 2004
 */
export function felzenszwalb({ pixels, from, to, costs }: Edges, scale: number, least: number): Int32Array {
  const forest = new Forest(pixels);
  const looseness = scale / 255;
  for (let e = 0; e < costs.length; e++) {
    const [a, b] = [forest.rootOf(from[e]!), forest.rootOf(to[e]!)];
    if (a === b) continue;
    const held = (root: number) => forest.cost[root]! + looseness / forest.size[root]!;
    if (costs[e]! < Math.min(held(a), held(b))) forest.cost[forest.join(a, b)] = costs[e]!;
  }
  for (let e = 0; e < costs.length; e++) {
    const [a, b] = [forest.rootOf(from[e]!), forest.rootOf(to[e]!)];
    if (a !== b && (forest.size[a]! < least || forest.size[b]! < least)) forest.join(a, b);
  }
  return forest.numbered();
}

/** Trees of pixels; the root of a tree is its first pixel. */
class Forest {
  readonly parent: Int32Array;
  readonly size: Int32Array;
  /** The greatest cost of an edge within each tree, by its root. */
  readonly cost: Float64Array;

  constructor(count: number) {
    this.parent = Int32Array.from({ length: count }, (_, i) => i);
    this.size = new Int32Array(count).fill(1);
    this.cost = new Float64Array(count);
  }

  rootOf(pixel: number): number {
    let root = pixel;
    while (this.parent[root]! !== root) root = this.parent[root]!;
    for (let at = pixel; at !== root; ) {
      const next = this.parent[at]!;
      this.parent[at] = root;
      at = next;
    }
    return root;
  }

  /** Joins the trees of two roots, and returns the root of both. */
  join(a: number, b: number): number {
    const [root, other] = a < b ? [a, b] : [b, a];
    this.parent[other] = root;
    this.size[root] = this.size[root]! + this.size[other]!;
    return root;
  }

  /** Gives the number of each pixel's tree; trees are numbered in the order of their roots. */
  numbered(): Int32Array {
    const numbers = new Map<number, number>();
    return this.parent.map((_, pixel) => {
      const root = this.rootOf(pixel);
      if (!numbers.has(root)) numbers.set(root, numbers.size);
      return numbers.get(root)!;
    });
  }
}

/** Makes each pixel's edges to the right, down and on both diagonals; costs are distances of the blurred colours. */
export function edgesOf(image: Pixels, sigma: number): Edges {
  const { data, height, width, channels } = blurred(image, sigma);
  const ends: [number, number][] = [];
  const join = (rows: number, columns: number, a: number, b: number) => {
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) ends.push([y * width + x + a, y * width + x + b]);
  };
  join(height, width - 1, 1, 0);
  join(height - 1, width, width, 0);
  join(height - 1, width - 1, width + 1, 0);
  join(height - 1, width - 1, 1, width);
  const costs = Float64Array.from(ends, ([a, b]) => {
    let total = 0;
    for (let c = 0; c < channels; c++) total += (data[a * channels + c]! - data[b * channels + c]!) ** 2;
    return Math.sqrt(total);
  });
  const order = Uint32Array.from(costs, (_, e) => e).sort((a, b) => costs[a]! - costs[b]! || a - b);
  return {
    pixels: height * width,
    from: Array.from(order, (e) => ends[e]![0]),
    to: Array.from(order, (e) => ends[e]![1]),
    costs: Float64Array.from(order, (e) => costs[e]!),
  };
}

/** Blurs rows and then columns by a Gaussian that is cut off at 4σ; the image is mirrored at its edges. */
function blurred({ data, ...shape }: Pixels, sigma: number): Pixels {
  const { height, width, channels } = shape;
  const reach = Math.trunc(4 * sigma + 0.5);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp((-0.5 / sigma ** 2) * (i - reach) ** 2),
  );
  const total = weights.reduce((a, b) => a + b);
  const kernel = weights.map((weight) => weight / total);
  const along = (values: Float64Array, length: number, stride: number) =>
    values.map((value, i) => {
      const place = Math.floor(i / stride) % length;
      const at = (offset: number) => values[i + (mirrored(place + offset, length) - place) * stride]!;
      let sum = value * kernel[reach]!;
      for (let d = reach; d > 0; d--) sum += (at(-d) + at(d)) * kernel[reach - d]!;
      return sum;
    });
  return { ...shape, data: along(along(data, height, width * channels), width, channels) };
}

function mirrored(place: number, length: number): number {
  const within = ((place % (2 * length)) + 2 * length) % (2 * length);
  return within < length ? within : 2 * length - 1 - within;
}
