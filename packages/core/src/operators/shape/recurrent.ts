import type { Fact } from '../../onnx/fact.ts';
import { int } from '../../onnx/graph.ts';
import { type ShapeContext, Unknown } from './rule.ts';

/** Infers the states after every step, [steps, directions, rows, hidden], then the last states of each kind. */
export const statesShape =
  (kinds: 1 | 2) =>
  (c: ShapeContext): readonly Fact[] => {
    if (int(c.node, 'layout', 0) !== 0) throw new Unknown(); // ONNX Runtime has no other
    const { dtype, shape } = c.x(0);
    const [steps, rows] = shape as [number, number];
    const [directions, , hidden] = c.x(2).shape as [number, number, number];
    const last = { dtype, shape: [directions, rows, hidden] };
    return [{ dtype, shape: [steps, directions, rows, hidden] }, ...Array<typeof last>(kinds).fill(last)];
  };
