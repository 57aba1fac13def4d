/** Whether a point lies in a figure; figures are drawn inside the unit circle, y downwards. */
export type Inside = (x: number, y: number) => boolean;

export interface Kind {
  readonly en: string;
  readonly zh: string;
  /** The figure, with a proportion in [0, 1] that varies it (how thick a ring, how deep a star). */
  readonly figure: (proportion: number) => Inside;
}

type Point = readonly [x: number, y: number];

/** Makes a polygon by the even-odd rule. */
export function polygon(points: readonly Point[]): Inside {
  // Flat arrays: this runs for every sample of every fragment.
  const xs = Float64Array.from(points, (point) => point[0]);
  const ys = Float64Array.from(points, (point) => point[1]);
  return (x, y) => {
    let inside = false;
    for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
      const [x0, y0, x1, y1] = [xs[j] as number, ys[j] as number, xs[i] as number, ys[i] as number];
      if (y1 > y !== y0 > y && x < x1 + ((x0 - x1) * (y - y1)) / (y0 - y1)) inside = !inside;
    }
    return inside;
  };
}

export const disc =
  (radius: number, centreX = 0): Inside =>
  (x, y) =>
    (x - centreX) * (x - centreX) + y * y <= radius * radius;

export const box =
  (halfWidth: number, halfHeight: number): Inside =>
  (x, y) =>
    Math.abs(x) <= halfWidth && Math.abs(y) <= halfHeight;

export const union =
  (...parts: readonly Inside[]): Inside =>
  (x, y) =>
    parts.some((part) => part(x, y));

const without =
  (whole: Inside, hole: Inside): Inside =>
  (x, y) =>
    whole(x, y) && !hole(x, y);

// Sines and cosines of 18°, 54° and 60° are written out: the same digits on every runtime.
const [sin18, cos18, sin54, cos54, cos30] = [
  0.3090169943749474, 0.9510565162951535, 0.8090169943749475, 0.5877852522924731, 0.8660254037844386,
];

function star(inner: number): Inside {
  return polygon([
    [0, -1],
    [cos54 * inner, -sin54 * inner],
    [cos18, -sin18],
    [cos18 * inner, sin18 * inner],
    [cos54, sin54],
    [0, inner],
    [-cos54, sin54],
    [-cos18 * inner, sin18 * inner],
    [-cos18, -sin18],
    [-cos54 * inner, -sin54 * inner],
  ]);
}

const heart: Inside = (x, y) => {
  const [u, v] = [x * 1.25, 0.12 - y * 1.25];
  const s = u * u + v * v - 1;
  return s * s * s <= u * u * v * v * v;
};

function arrow(shaft: number): Inside {
  return polygon([
    [0, -1],
    [0.78, -0.1],
    [shaft, -0.1],
    [shaft, 0.92],
    [-shaft, 0.92],
    [-shaft, -0.1],
    [-0.78, -0.1],
  ]);
}

/** The ten classes, in the order of the network's outputs. */
export const kinds: readonly Kind[] = [
  { en: 'circle', zh: '圆形', figure: () => disc(0.9) },
  { en: 'square', zh: '正方形', figure: () => box(0.7, 0.7) },
  {
    en: 'triangle',
    zh: '三角形',
    figure: () =>
      polygon([
        [0, -1],
        [cos30, 0.5],
        [-cos30, 0.5],
      ]),
  },
  { en: 'star', zh: '五角星', figure: (p) => star(0.38 + 0.1 * p) },
  {
    en: 'cross',
    zh: '十字形',
    figure: (p) => union(box(0.22 + 0.12 * p, 0.93), box(0.93, 0.22 + 0.12 * p)),
  },
  { en: 'ring', zh: '圆环', figure: (p) => without(disc(0.93), disc(0.48 + 0.2 * p)) },
  { en: 'heart', zh: '心形', figure: () => heart },
  { en: 'crescent', zh: '月牙', figure: (p) => without(disc(0.97), disc(0.8, 0.36 + 0.16 * p)) },
  {
    en: 'hexagon',
    zh: '六边形',
    figure: () =>
      polygon([
        [0, -0.96],
        [0.96 * cos30, -0.48],
        [0.96 * cos30, 0.48],
        [0, 0.96],
        [-0.96 * cos30, 0.48],
        [-0.96 * cos30, -0.48],
      ]),
  },
  { en: 'arrow', zh: '箭头', figure: (p) => arrow(0.18 + 0.12 * p) },
];

/** Fragments that belong to no class: the network must learn to ignore them. */
export const fragments: readonly [Inside, ...Inside[]] = [
  box(1, 0.12),
  box(0.95, 0.2),
  union(
    (x, y) => Math.abs(x + 0.5) <= 0.2 && Math.abs(y) <= 0.8,
    (x, y) => Math.abs(x) <= 0.7 && Math.abs(y - 0.6) <= 0.2,
  ),
  union(
    (x, y) => Math.abs(x) <= 0.85 && Math.abs(y + 0.6) <= 0.18,
    (x, y) => Math.abs(x) <= 0.18 && Math.abs(y) <= 0.75,
  ),
  polygon([
    [-0.95, 0.2],
    [-0.5, -0.5],
    [0, 0.2],
    [0.5, -0.5],
    [0.95, 0.2],
    [0.7, 0.5],
    [0.5, 0.1],
    [0, 0.75],
    [-0.5, 0.1],
    [-0.75, 0.5],
  ]),
  (x, y) => x * x + y * y <= 0.8 && y >= 0.1,
  polygon([
    [-0.95, 0.28],
    [-0.35, -0.32],
    [0.95, -0.28],
    [0.35, 0.32],
  ]),
  polygon([
    [-0.9, 0.35],
    [-0.3, -0.4],
    [0.25, -0.4],
    [0.9, 0.35],
  ]),
];
