import type { Shape } from '../onnx/builder.ts';
import type { Attributes } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { sizeOf, type Tensor, tensor } from '../tensor.ts';

// Cases of derivative rules: an operator with inputs and attributes.

/** An input of a case: differentiated, or a constant. */
export type Operand =
  | { readonly shape: Shape; readonly low: number; readonly high: number; readonly fixed?: boolean }
  | { readonly shape: Shape; readonly at: readonly number[] }
  | { readonly constant: Tensor }
  | '';

/** An operator applied once. */
export interface Case {
  readonly op: OperatorName;
  readonly title: string;
  readonly inputs: readonly Operand[];
  readonly attributes: Attributes;
  /** float32 if ONNX Runtime's kernel of the operator, or of its derivative, has no float64. */
  readonly dtype: 'float32' | 'float64';
  readonly opset: number;
  readonly outputs: number;
  /** Outputs that the loss depends on; default: all outputs. */
  readonly used?: readonly number[];
}

/** Values between -1.5 and 1.5, all different and not near 0. `-1` in a shape is the batch. */
export const x = (...shape: number[]): Operand => ({ shape, low: -1.5, high: 1.5 });
/** A vector of chosen values. */
export const at = (...values: number[]): Operand => ({ shape: [values.length], at: values });
/** Values like those of `x` in another range. */
export const within = (low: number, high: number, ...shape: number[]): Operand => ({ shape, low, high });
/** Values like those of `x` as a constant of the graph. */
export const weight = (...shape: number[]): Operand => ({ shape, low: -1.5, high: 1.5, fixed: true });
export const positiveWeight = (...shape: number[]): Operand => ({ shape, low: 0.3, high: 2, fixed: true });
export const constant = (value: Tensor): Operand => ({ constant: value });
export const ints = (...values: number[]): Operand =>
  constant(tensor('int64', [values.length], BigInt64Array.from(values, BigInt)));
export const bools = (shape: readonly number[], ...values: number[]): Operand =>
  constant(tensor('bool', shape, Uint8Array.from(values)));
export const real = (value: number): Operand => ({ shape: [], low: value, high: value, fixed: true });

/** Makes values evenly spaced over the range, in a fixed shuffled order; leaves a gap of a tenth across zero. */
export function values(
  dtype: 'float32' | 'float64',
  shape: readonly number[],
  low: number,
  high: number,
  seed: number,
): Tensor {
  const n = sizeOf(shape);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => hash(a, seed) - hash(b, seed));
  const gap = low < 0 && high > 0 ? 0.1 : 0;
  const data = order.map((k) => {
    const v =
      n === 1 ? (low + high) / 2 || 0.37 : low + ((k + 0.31 + ((0.13 * seed) % 0.3)) / n) * (high - low);
    return v + Math.sign(v) * gap;
  });
  return dtype === 'float32'
    ? tensor(dtype, shape, Float32Array.from(data))
    : tensor(dtype, shape, Float64Array.from(data));
}

const hash = (i: number, seed: number): number => (Math.sin(i * 12.9898 + seed * 78.233) * 43758.5453) % 1;
