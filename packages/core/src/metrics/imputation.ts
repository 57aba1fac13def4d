import type { Tensor } from '../tensor.ts';
import { type Layout, pixelsOf } from './pixels.ts';

/** Weights of the eight neighbours, as ROAD has them. */
const neighbours = [-1, 0, 1].flatMap((dy) =>
  [-1, 0, 1].flatMap((dx) =>
    dx === 0 && dy === 0 ? [] : [{ dx, dy, weight: dx === 0 || dy === 0 ? 1 / 6 : 1 / 12 }],
  ),
);

/**
 * Fills removed pixels so that each is the weighted mean of its neighbours: xᵢ·Σⱼwᵢⱼ = Σⱼ wᵢⱼxⱼ over the neighbours
 * j within the image, one linear system for all of them (Rong et al., ICML 2022).
 *
 * The system is symmetric and positive definite as soon as one pixel is kept: conjugate gradients solve it, each
 * unknown scaled by its diagonal, until the residual is 1e-9 of the right-hand side. With no pixel kept there is
 * nothing to fill from: zeros.
 *
 * @param kept one flag per pixel, [H, W].
 */
export function imputed(
  image: Tensor<'float32'>,
  kept: ArrayLike<number | boolean>,
  layout: Layout = 'NCHW',
): Float32Array {
  const { count } = pixelsOf(image, layout, kept as ArrayLike<number>);
  const [, a, b, c] = image.shape as readonly [number, number, number, number];
  const [height, width] = layout === 'NCHW' ? [b, c] : [a, b];
  const system = systemOf(kept, width, height);
  const channels = image.data.length / count;
  const filled = image.data.slice();
  const plane = new Float64Array(count);
  for (let channel = 0; channel < channels; channel++) {
    const at = (pixel: number) => (layout === 'NCHW' ? channel * count + pixel : pixel * channels + channel);
    for (let pixel = 0; pixel < count; pixel++) plane[pixel] = kept[pixel] ? image.data[at(pixel)]! : 0;
    const solved = solve(system, plane);
    system.unknown.forEach((pixel, i) => {
      filled[at(pixel)] = solved[i]!;
    });
  }
  return filled;
}

interface System {
  /** Pixels to fill. */
  readonly unknown: readonly number[];
  readonly diagonal: Float64Array;
  /** Per unknown and neighbour: the unknown that it is, or -1 - pixel where it is kept, or `outside`. */
  readonly links: Int32Array;
}

const outside = 0x7fff_ffff;

function systemOf(kept: ArrayLike<number | boolean>, width: number, height: number): System {
  const unknown = Array.from({ length: kept.length }, (_, i) => i).filter((i) => !kept[i]);
  const index = new Int32Array(kept.length).fill(-1);
  unknown.forEach((pixel, i) => {
    index[pixel] = i;
  });
  const diagonal = new Float64Array(unknown.length);
  const links = new Int32Array(unknown.length * neighbours.length).fill(outside);
  unknown.forEach((pixel, i) => {
    const [x, y] = [pixel % width, Math.trunc(pixel / width)];
    neighbours.forEach(({ dx, dy, weight }, k) => {
      if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) return;
      const other = pixel + dy * width + dx;
      diagonal[i]! += weight;
      links[i * neighbours.length + k] = index[other]! >= 0 ? index[other]! : -1 - other;
    });
  });
  return { unknown, diagonal, links };
}

function solve(system: System, plane: Float64Array): Float64Array {
  const { unknown, diagonal, links } = system;
  const n = unknown.length;
  const right = new Float64Array(n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < neighbours.length; k++) {
      const link = links[i * neighbours.length + k]!;
      if (link < 0) right[i]! += neighbours[k]!.weight * plane[-1 - link]!;
    }
  const times = (x: Float64Array): Float64Array => {
    const y = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let sum = diagonal[i]! * x[i]!;
      for (let k = 0; k < neighbours.length; k++) {
        const link = links[i * neighbours.length + k]!;
        if (link >= 0 && link !== outside) sum -= neighbours[k]!.weight * x[link]!;
      }
      y[i] = sum;
    }
    return y;
  };
  return conjugateGradients(times, right, diagonal);
}

/** Solves A x = b for a symmetric positive definite A, preconditioned with its diagonal. */
function conjugateGradients(
  times: (x: Float64Array) => Float64Array,
  b: Float64Array,
  diagonal: Float64Array,
): Float64Array {
  const x = new Float64Array(b.length);
  const residual = b.slice();
  let scaled = residual.map((r, i) => r / diagonal[i]!);
  const direction = scaled.slice();
  let product = dot(residual, scaled);
  const enough = 1e-18 * dot(b, b);
  for (let step = 0; step < 10 * b.length && dot(residual, residual) > enough; step++) {
    const moved = times(direction);
    const alpha = product / dot(direction, moved);
    for (let i = 0; i < x.length; i++) {
      x[i]! += alpha * direction[i]!;
      residual[i]! -= alpha * moved[i]!;
    }
    scaled = residual.map((r, i) => r / diagonal[i]!);
    const next = dot(residual, scaled);
    for (let i = 0; i < x.length; i++) direction[i] = scaled[i]! + (next / product) * direction[i]!;
    product = next;
  }
  return x;
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
