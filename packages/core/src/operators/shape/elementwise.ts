import { dtypeOfCode } from '../../onnx/dtype.ts';
import { type Fact, followed } from '../../onnx/fact.ts';
import { int } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';
import { broadcast, broadcastOffsets, like, type ShapeRule } from './rule.ts';

export const sameAsFirst: ShapeRule = (c) => like(c.x(0));

/** Infers the output of an n-ary elementwise operator: the broadcast shape, and elements if all are known. */
export const combined =
  (combine: (...values: number[]) => number, dtype?: Fact['dtype'], first = 0): ShapeRule =>
  (c) => {
    const facts = Array.from({ length: c.count }, (_, i) => c.x(i));
    const shape = broadcast(...facts.map((f) => f.shape));
    const type = dtype ?? facts[first]!.dtype;
    const value =
      facts.every((f) => f.value) && sizeOf(shape) <= followed
        ? elementsOf(facts, shape, combine, type)
        : undefined;
    return [{ dtype: type, shape, value }];
  };

function elementsOf(
  facts: readonly Fact[],
  shape: readonly number[],
  combine: (...v: number[]) => number,
  dtype: Fact['dtype'],
) {
  const columns = facts.map((f) =>
    Array.from(broadcastOffsets(f.shape, shape), (offset) => f.value![offset]!),
  );
  const results = Array.from({ length: columns[0]!.length }, (_, k) =>
    combine(...columns.map((column) => column[k]!)),
  );
  return dtype.startsWith('float') ? results : results.map(Math.trunc);
}

/** Infers the broadcast shape only, for operators whose results never determine shapes. */
export const broadcasting: ShapeRule = (c) => [
  { dtype: c.x(0).dtype, shape: broadcast(...Array.from({ length: c.count }, (_, i) => c.x(i).shape)) },
];

export const comparison = (test: (a: number, b: number) => boolean): ShapeRule =>
  combined((a, b) => Number(test(a!, b!)), 'bool');

/** Applies one function to every element. */
export const mapped =
  (f: (v: number) => number): ShapeRule =>
  (c) => [{ ...c.x(0), value: c.x(0).value?.map(f) }];

export const castShape: ShapeRule = (c) => {
  const { shape, value } = c.x(0);
  const dtype = dtypeOfCode[int(c.node, 'to', 1)] ?? 'float32';
  return [{ dtype, shape, value: dtype.startsWith('float') ? value : value?.map(Math.trunc) }];
};

export const castLikeShape: ShapeRule = (c) => [{ ...c.x(0), dtype: c.x(1).dtype, value: c.x(0).value }];

/** Infers a truth value for every element. */
export const truthShape: ShapeRule = (c) => [{ dtype: 'bool', shape: c.x(0).shape }];

export const clipShape: ShapeRule = (c) => {
  const x = c.x(0);
  const low = c.has(1) ? c.x(1).value?.[0] : Number.NEGATIVE_INFINITY;
  const high = c.has(2) ? c.x(2).value?.[0] : Number.POSITIVE_INFINITY;
  const known = low !== undefined && high !== undefined;
  return [{ ...x, value: known ? x.value?.map((v) => Math.min(Math.max(v, low), high)) : undefined }];
};
