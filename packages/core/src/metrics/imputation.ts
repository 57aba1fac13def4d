import type { Tensor } from '../tensor.ts';
import { type Layout, pixelsOf } from './pixels.ts';

/** The weights in ROAD of the eight neighbours of a pixel. */
const edge = 1 / 6;
const corner = 1 / 12;

/**
 * Fills removed pixels so that each is the weighted mean of its neighbours: xᵢ·Σⱼwᵢⱼ = Σⱼ wᵢⱼxⱼ over the neighbours
 * j within the image, one linear system for all removed pixels (Rong et al., ICML 2022).
 *
 * The system is symmetric and positive definite if at least one pixel is kept: conjugate gradients solve it, each
 * unknown scaled by its diagonal, until the residual is 1e-9 of the right-hand side. If no pixel is kept, all are
 * filled with zeros.
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
  const channels = image.data.length / count;
  const system = systemOf(kept, width, height);
  const filled = image.data.slice();
  for (let channel = 0; channel < channels; channel++) {
    const at = (pixel: number) => (layout === 'NCHW' ? channel * count + pixel : pixel * channels + channel);
    const plane = new Float64Array((width + 2) * (height + 2));
    for (let pixel = 0; pixel < count; pixel++)
      if (kept[pixel]) plane[framed(pixel, width)] = image.data[at(pixel)]!;
    const solved = solve(system, plane);
    for (let pixel = 0; pixel < count; pixel++)
      if (!kept[pixel]) filled[at(pixel)] = solved[framed(pixel, width)]!;
  }
  return filled;
}

/** Planes have a frame of one pixel that stays zero, so that every pixel has eight neighbours. */
const framed = (pixel: number, width: number): number =>
  (Math.trunc(pixel / width) + 1) * (width + 2) + 1 + (pixel % width);

interface System {
  /** Indices of the pixels to fill, on a framed plane. */
  readonly unknown: Int32Array;
  /** For each pixel to fill, the sum of the weights of its neighbours within the image. */
  readonly diagonal: Float64Array;
  readonly stride: number;
}

function systemOf(kept: ArrayLike<number | boolean>, width: number, height: number): System {
  const stride = width + 2;
  const inside = new Float64Array(stride * (height + 2));
  for (let pixel = 0; pixel < kept.length; pixel++) inside[framed(pixel, width)] = 1;
  const unknown = Int32Array.from(
    Array.from({ length: kept.length }, (_, pixel) => pixel).filter((pixel) => !kept[pixel]),
    (pixel) => framed(pixel, width),
  );
  return { unknown, stride, diagonal: Float64Array.from(unknown, (p) => around(inside, p, stride)) };
}

/** Computes the weighted sum of a pixel's neighbours. */
const around = (x: Float64Array, p: number, stride: number): number =>
  edge * (x[p - 1]! + x[p + 1]! + x[p - stride]! + x[p + stride]!) +
  corner * (x[p - stride - 1]! + x[p - stride + 1]! + x[p + stride - 1]! + x[p + stride + 1]!);

/** Computes the values to fill in, on a framed plane, from a plane of the kept values. */
function solve({ unknown, diagonal, stride }: System, known: Float64Array): Float64Array {
  const n = unknown.length;
  const x = new Float64Array(known.length);
  const direction = new Float64Array(known.length);
  const residual = new Float64Array(n);
  const moved = new Float64Array(n);
  let product = 0;
  let error = 0;
  for (let i = 0; i < n; i++) {
    const value = around(known, unknown[i]!, stride);
    residual[i] = value;
    direction[unknown[i]!] = value / diagonal[i]!;
    product += (value * value) / diagonal[i]!;
    error += value * value;
  }
  const enough = 1e-18 * error;
  for (let step = 0; step < 10 * n && error > enough; step++) {
    let slope = 0;
    for (let i = 0; i < n; i++) {
      const p = unknown[i]!;
      const value = diagonal[i]! * direction[p]! - around(direction, p, stride);
      moved[i] = value;
      slope += value * direction[p]!;
    }
    const alpha = product / slope;
    let next = 0;
    error = 0;
    for (let i = 0; i < n; i++) {
      const p = unknown[i]!;
      x[p] = x[p]! + alpha * direction[p]!;
      const value = residual[i]! - alpha * moved[i]!;
      residual[i] = value;
      next += (value * value) / diagonal[i]!;
      error += value * value;
    }
    const beta = next / product;
    product = next;
    for (let i = 0; i < n; i++) {
      const p = unknown[i]!;
      direction[p] = residual[i]! / diagonal[i]! + beta * direction[p]!;
    }
  }
  return x;
}
