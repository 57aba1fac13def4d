import { InputError } from '../errors.ts';
import type { Expression } from '../onnx/expression.ts';
import { int, text } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { moving, type Operators, operator } from './operator.ts';
import { sameAsFirst } from './shape/elementwise.ts';
import { topKShape } from './shape/movement.ts';
import { argumentShape } from './shape/reduction.ts';
import { gatherElementsShape, gatherNDShape } from './shape/slicing.ts';
import { given, type RuleContext, type Vjp } from './vjp/rule.ts';

// Operators that take or write single elements, by indices that may depend on data.

/** Places dy where the elements were taken from, and adds it up where an element was taken twice. */
const placed = ({ x, dy }: RuleContext, indices: Expression, axis: number): Expression =>
  x(0).zerosLike().emit('ScatterElements', [indices, dy], { axis, reduction: 'add' });

/** Reads how a scatter changes an element: by addition, or by replacement ('none'). */
function reductionOf({ node }: RuleContext): 'none' | 'add' {
  const reduction = text(node, 'reduction', 'none');
  if (reduction === 'none' || reduction === 'add') return reduction;
  throw new InputError(
    'model_unsupported_op',
    `node ${quoted(node.name)} (${node.op}) scatters by ${quoted(reduction)}: no derivative rule`,
  );
}

/** Makes the cotangent, with zeros where the scatter replaced elements. */
const kept =
  (op: 'ScatterElements' | 'ScatterND'): Vjp =>
  (c) => {
    if (reductionOf(c) === 'add') return c.dy;
    const attributes = op === 'ScatterND' ? {} : { axis: int(c.node, 'axis', 0) };
    return c.dy.emit(op, [c.x(1), c.x(2).zerosLike()], attributes);
  };

export const indexing = {
  GatherElements: moving({
    shape: gatherElementsShape,
    vjp: [(c) => placed(c, c.x(1), int(c.node, 'axis', 0))],
  }),
  GatherND: moving({ shape: gatherNDShape, vjp: null }),
  ScatterElements: operator({
    data: 3,
    rows: null,
    shape: sameAsFirst,
    vjp: [
      kept('ScatterElements'),
      undefined,
      (c) => {
        reductionOf(c);
        return c.dy.emit('GatherElements', [c.x(1)], { axis: int(c.node, 'axis', 0) });
      },
    ],
  }),
  ScatterND: operator({
    data: 3,
    rows: null,
    shape: sameAsFirst,
    vjp: [
      kept('ScatterND'),
      undefined,
      (c) => {
        reductionOf(c);
        return c.dy.emit('GatherND', [c.x(1)]);
      },
    ],
  }),
  TopK: operator({
    rows: null,
    shape: topKShape,
    vjp: [(c) => placed(c, c.output(1), int(c.node, 'axis', -1))],
  }),
  Trilu: moving({
    elementwise: true,
    map: 'keeps',
    shape: sameAsFirst,
    vjp: [
      (c) => {
        const diagonal = given(c, 1);
        return c.dy.emit('Trilu', diagonal ? [diagonal] : [], { upper: int(c.node, 'upper', 1) });
      },
    ],
  }),
  ArgMax: operator({ rows: null, shape: argumentShape, vjp: null }),
  ArgMin: operator({ rows: null, shape: argumentShape, vjp: null }),
} satisfies Operators;
