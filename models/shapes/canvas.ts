import type { Inside } from './kinds.ts';
import { hash, type Random } from './random.ts';

export type Colour = readonly [red: number, green: number, blue: number];
/** The colour of each pixel. */
export type Paint = (x: number, y: number) => Colour;

/** RGB in floating point, row-major, until the drawing is done. */
export interface Canvas {
  readonly size: number;
  readonly data: Float32Array;
}

/** The place of a figure: its centre, its radius, and the direction of its x axis. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly direction: readonly [number, number];
}

export const colour = (random: Random): Colour => [
  random.between(0, 255),
  random.between(0, 255),
  random.between(0, 255),
];

export function between(a: Colour, b: Colour, t: number): Colour {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

export function distance(a: Colour, b: Colour): number {
  return Math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2);
}

/** Lays paint over the pixels, with an opacity in [0, 1] for each. */
export function lay(canvas: Canvas, paint: Paint, opacity: (x: number, y: number) => number): void {
  for (let y = 0; y < canvas.size; y++)
    for (let x = 0; x < canvas.size; x++) {
      const alpha = opacity(x, y);
      if (alpha === 0) continue;
      const at = (y * canvas.size + x) * 3;
      const [red, green, blue] = paint(x, y);
      canvas.data[at] = (canvas.data[at] ?? 0) * (1 - alpha) + red * alpha;
      canvas.data[at + 1] = (canvas.data[at + 1] ?? 0) * (1 - alpha) + green * alpha;
      canvas.data[at + 2] = (canvas.data[at + 2] ?? 0) * (1 - alpha) + blue * alpha;
    }
}

/** Computes the covered part of each pixel of a figure, by 4 × 4 samples: float32 [size, size] in [0, 1]. */
export function cover(size: number, figure: Inside, place: Placement): Float32Array {
  const coverage = new Float32Array(size * size);
  const [cos, sin] = place.direction;
  const low = (centre: number) => Math.max(0, Math.floor(centre - place.radius) - 1);
  const high = (centre: number) => Math.min(size - 1, Math.ceil(centre + place.radius) + 1);
  for (let y = low(place.y); y <= high(place.y); y++)
    for (let x = low(place.x); x <= high(place.x); x++) {
      let hits = 0;
      for (let sample = 0; sample < 16; sample++) {
        const dx = (x + ((sample & 3) + 0.5) / 4 - place.x) / place.radius;
        const dy = (y + ((sample >> 2) + 0.5) / 4 - place.y) / place.radius;
        if (figure(dx * cos + dy * sin, dy * cos - dx * sin)) hits++;
      }
      coverage[y * size + x] = hits / 16;
    }
  return coverage;
}

/** Smooth noise in [0, 1): random values on a lattice, blended by the cubic 3t² − 2t³. */
export function noise(key: number, cell: number): (x: number, y: number) => number {
  return (x, y) => {
    const [u, v] = [x / cell, y / cell];
    const [i, j] = [Math.floor(u), Math.floor(v)];
    const [s, t] = [u - i, v - j];
    const [a, b] = [s * s * (3 - 2 * s), t * t * (3 - 2 * t)];
    const top = hash(key, i, j) * (1 - a) + hash(key, i + 1, j) * a;
    const bottom = hash(key, i, j + 1) * (1 - a) + hash(key, i + 1, j + 1) * a;
    return top * (1 - b) + bottom * b;
  };
}

/** Bands across a direction, each `width` pixels wide, alternately 0 and 1. */
export function bands(direction: readonly [number, number], width: number): (x: number, y: number) => number {
  return (x, y) => Math.floor((x * direction[0] + y * direction[1]) / width) & 1;
}

/** A random surface between two colours: flat, gradient, bands, checks or noise. */
export function surface(random: Random, size: number, a: Colour, b: Colour): Paint {
  const direction = random.direction();
  const width = random.between(3, 9);
  const key = random.key();
  switch (random.pick(['flat', 'gradient', 'bands', 'checks', 'noise'])) {
    case 'flat':
      return () => a;
    case 'gradient':
      return (x, y) => {
        const along = ((x - size / 2) * direction[0] + (y - size / 2) * direction[1]) / size;
        return between(a, b, Math.min(1, Math.max(0, along + 0.5)));
      };
    case 'bands': {
      const band = bands(direction, width);
      return (x, y) => between(a, b, band(x, y));
    }
    case 'checks': {
      const [across, along] = [bands(direction, width), bands([-direction[1], direction[0]], width)];
      return (x, y) => between(a, b, across(x, y) ^ along(x, y));
    }
    default: {
      const [coarse, fine] = [noise(key, width * 3), noise(key ^ 1, width)];
      return (x, y) => between(a, b, coarse(x, y) * 0.65 + fine(x, y) * 0.35);
    }
  }
}
