import { ShapeError } from '../onnx/fact.ts';
import { ints, type Node, text } from '../onnx/graph.ts';

/** A bound that no network's window exceeds; tables are made of its size. */
const widest = 2 ** 16;

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before and after each spatial axis, with `auto_pad` resolved. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Reads a convolution's or pooling's window over spatial sizes `spatial`, with every default spelled out. */
export function windowOf(node: Node, kernel: readonly number[], spatial: readonly number[]): Window {
  const window = resolvedWindow(node, kernel, spatial);
  const { strides, dilations, before, after } = window;
  const steps = [...kernel, ...strides, ...dilations];
  if (
    steps.some((n) => !(n >= 1 && n <= widest)) ||
    [...before, ...after].some((n) => !(n >= 0 && n <= widest))
  )
    throw new ShapeError(
      `a window of kernel [${kernel}], strides [${strides}], dilations [${dilations}], padding [${before}] [${after}]`,
    );
  return window;
}

function resolvedWindow(node: Node, kernel: readonly number[], spatial: readonly number[]): Window {
  const rank = spatial.length;
  const strides = ints(node, 'strides') ?? Array<number>(rank).fill(1);
  const dilations = ints(node, 'dilations') ?? Array<number>(rank).fill(1);
  const autoPad = text(node, 'auto_pad', 'NOTSET');
  if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
    const totals = spatial.map((size, i) => {
      const outputs = Math.ceil(size / strides[i]!);
      return Math.max(0, (outputs - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 - size);
    });
    const small = totals.map((t) => Math.floor(t / 2));
    const large = totals.map((t, i) => t - small[i]!);
    return autoPad === 'SAME_UPPER'
      ? { kernel, strides, dilations, before: small, after: large }
      : { kernel, strides, dilations, before: large, after: small };
  }
  const pads = autoPad === 'VALID' ? undefined : ints(node, 'pads');
  const before = pads?.slice(0, rank) ?? Array<number>(rank).fill(0);
  const after = pads?.slice(rank) ?? Array<number>(rank).fill(0);
  return { kernel, strides, dilations, before, after };
}

/** Reads the window of a transposed convolution; padding follows from the output's size if that is given instead. */
export function transposedWindow(node: Node, kernel: readonly number[], spatial: readonly number[]): Window {
  const given = windowOf(
    { ...node, attributes: { ...node.attributes, auto_pad: 'NOTSET' } },
    kernel,
    spatial,
  );
  const autoPad = text(node, 'auto_pad', 'NOTSET');
  const same = autoPad.startsWith('SAME') ? spatial.map((size, i) => size * given.strides[i]!) : undefined;
  const wanted = ints(node, 'output_shape')?.slice(-spatial.length) ?? same;
  if (!wanted) return given;
  const extra = ints(node, 'output_padding') ?? [];
  const totals = spatial.map((size, i) =>
    Math.max(
      0,
      given.strides[i]! * (size - 1) +
        (extra[i] ?? 0) +
        (kernel[i]! - 1) * given.dilations[i]! +
        1 -
        wanted[i]!,
    ),
  );
  const small = totals.map((t) => Math.floor(t / 2));
  const large = totals.map((t, i) => t - small[i]!);
  return autoPad === 'SAME_UPPER'
    ? { ...given, before: small, after: large }
    : { ...given, before: large, after: small };
}

/** Computes output sizes of a sliding window. With `ceil`, a last partial window counts if it starts in the input. */
export function slidingSizes(w: Window, spatial: readonly number[], ceil: boolean): number[] {
  return spatial.map((size, i) => {
    const span = size + w.before[i]! + w.after[i]! - (w.kernel[i]! - 1) * w.dilations[i]! - 1;
    let count = (ceil ? Math.ceil(span / w.strides[i]!) : Math.floor(span / w.strides[i]!)) + 1;
    if (ceil && (count - 1) * w.strides[i]! >= size + w.before[i]!) count--;
    if (count < 1) throw new ShapeError(`a window of ${w.kernel[i]} does not fit into ${size}`);
    return count;
  });
}
