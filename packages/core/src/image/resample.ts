/**
 * Computes resampling weights as Pillow does (Resample.c): kernels by name, half-pixel centres, the support
 * widened when shrinking (that is the antialiasing), weights renormalised at the borders.
 */

export const filters = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const;
export type Filter = (typeof filters)[number];

/** Filters that resize photos: Pillow's, with antialiasing, and OpenCV's. */
export const resamplings = [...filters, 'cv-bilinear', 'cv-area'] as const;
export type Resampling = (typeof resamplings)[number];

interface Kernel {
  readonly support: number;
  readonly at: (x: number) => number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));
/** Keys' cubic with a = -0.5, as in Pillow (OpenCV and PyTorch use -0.75). */
const a = -0.5;

const kernels: Record<Exclude<Filter, 'nearest'>, Kernel> = {
  box: { support: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    at: (x) => (Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(Math.abs(x) * Math.PI))),
  },
  bicubic: {
    support: 2,
    at: (signed) => {
      const x = Math.abs(signed);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Resampling weights. Output pixel i has the inputs `first[i] … first[i] + count[i] - 1`, weights at `i * stride`. */
export interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly stride: number;
  readonly values: Float64Array;
}

export interface Axis {
  /** Numbers of pixels before and after the resize. */
  readonly from: number;
  readonly to: number;
  /** Only the outputs `start … start + length - 1` are wanted; all of them by default. */
  readonly start?: number;
  readonly length?: number;
}

/** Computes weights along one axis; `antialias: false` keeps the kernel's own support when shrinking, as in OpenCV. */
export function weights(filter: Filter, axis: Axis, antialias = true): Weights {
  return filter === 'nearest' ? nearest(axis) : convolution(kernels[filter], axis, antialias);
}

function convolution(kernel: Kernel, axis: Axis, antialias: boolean): Weights {
  const { from, to, start = 0, length = to } = axis;
  const scale = from / to;
  const stretch = antialias ? Math.max(scale, 1) : 1;
  const support = kernel.support * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const values = new Float64Array(length * stride);
  for (let i = 0; i < length; i++) {
    const centre = (start + i + 0.5) * scale;
    const low = Math.max(Math.trunc(centre - support + 0.5), 0);
    const size = Math.min(Math.trunc(centre + support + 0.5), from) - low;
    let total = 0;
    for (let k = 0; k < size; k++) {
      // Multiplying by the reciprocal, as the original does, keeps the last bit.
      const weight = kernel.at((k + low - centre + 0.5) * (1 / stretch));
      values[i * stride + k] = weight;
      total += weight;
    }
    if (total !== 0) for (let k = 0; k < size; k++) values[i * stride + k]! /= total;
    first[i] = low;
    count[i] = size;
  }
  return { first, count, stride, values };
}

/** Adds up the scale as Pillow does, not multiplies by it: that decides on which side of a border a pixel falls. */
function nearest({ from, to, start = 0, length = to }: Axis): Weights {
  const first = new Int32Array(length);
  let position = (from / to) * 0.5;
  for (let i = 0; i < start + length; i++) {
    if (i >= start) first[i - start] = Math.min(Math.trunc(position), from - 1);
    position += from / to;
  }
  return {
    first,
    count: new Int32Array(length).fill(1),
    stride: 1,
    values: new Float64Array(length).fill(1),
  };
}
