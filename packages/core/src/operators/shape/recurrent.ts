import { int } from '../../onnx/graph.ts';
import { type ShapeContext, type ShapeRules, Unknown } from './fact.ts';

/** The states after every step, [steps, directions, rows, hidden], then the last ones of each kind. */
function states(c: ShapeContext, kinds: 1 | 2) {
  if (int(c.node, 'layout', 0) !== 0) throw new Unknown(); // ONNX Runtime has no other
  const { dtype, shape } = c.x(0);
  const [steps, rows] = shape as [number, number];
  const [directions, , hidden] = c.x(2).shape as [number, number, number];
  const last = { dtype, shape: [directions, rows, hidden] };
  return [{ dtype, shape: [steps, directions, rows, hidden] }, ...Array<typeof last>(kinds).fill(last)];
}

export const recurrent: ShapeRules = {
  RNN: (c) => states(c, 1),
  GRU: (c) => states(c, 1),
  LSTM: (c) => states(c, 2),
};
