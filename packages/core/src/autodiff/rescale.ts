import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import { div, mul, number, reshape, slice, sub, sum, where, zerosLike } from '../onnx/emit.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { isNonlinear, operatorsThat } from '../operators/table.ts';
import { type RuleContext, type Vjp, type VjpRules, vjpOf } from '../operators/vjp/rule.ts';
import { gradientRules } from './gradient.ts';

// DeepLIFT's multipliers as a backward pass. Rows come in pairs: an image and the baseline that it is compared with.

const nonlinear = operatorsThat(
  (operator) => isNonlinear(operator) && Array.isArray(operator.vjp) && operator.vjp[0] !== null,
);

/** What Captum has the rule for; other nonlinearities have their gradient there. */
const captumNonlinear: readonly OperatorName[] = ['Relu', 'LeakyRelu', 'Elu', 'Sigmoid', 'Tanh', 'Softplus'];

/** Differences smaller than this have the gradient for a multiplier. */
const smallest = 1e-10;

/**
 * The rescale rule: the multiplier of a nonlinearity is Δy/Δx. A maximum is shared out between the elements that the
 * image and the baseline chose.
 *
 * @param captum with three oddities of Captum: it has the rule for six nonlinearities only, where windows overlap the
 *   last one wins, and a pool right after one of the six has its plain gradient
 * @param layer the layer that is explained, if one is: Captum keeps its hooks off it, so that a pool after it has the rule
 */
export const rescaleRules = (captum: boolean, layer?: Value): VjpRules => ({
  ...gradientRules,
  ...Object.fromEntries(
    (captum ? captumNonlinear : nonlinear).map((op) => [
      op,
      (gradientRules[op] as readonly Vjp[]).with(0, rescaled),
    ]),
  ),
  MaxPool: [
    (c) =>
      captum && c.node.inputs[0] !== layer && captumNonlinear.includes(makerOf(c)!)
        ? plain(c)
        : pooled(c, captum),
  ],
});

const plain = (c: RuleContext): Value => (vjpOf(gradientRules, c.node.op, c.index) as Vjp)(c);

/** The operator that a pool's input comes from. */
const makerOf = ({ g, node }: RuleContext): OperatorName | undefined => g.maker(node.inputs[0]!)?.op;

/** [rows, …] as [pairs, 2, …]. */
function pairs(g: GraphBuilder, value: Value): Value {
  const [rows, ...rest] = g.shape(value) as [number, ...number[]];
  return reshape(g, value, [rows / 2, 2, ...rest]);
}

const first = (g: GraphBuilder, paired: Value): Value => slice(g, paired, 1, 0, 1);
const second = (g: GraphBuilder, paired: Value): Value => slice(g, paired, 1, 1, 2);

const difference = (g: GraphBuilder, value: Value): Value => {
  const paired = pairs(g, value);
  return sub(g, first(g, paired), second(g, paired));
};

/** `multiplied` / Δx where Δx is not too small, the gradient where it is; [pairs, 2, …] back to rows. */
function over(c: RuleContext, dx: Value, multiplied: Value): Value {
  const { g } = c;
  const small = g.emit('Less', [g.emit('Abs', [dx]), number(g, smallest, dx)]);
  const safe = where(g, small, number(g, 1, dx), dx);
  return reshape(g, where(g, small, pairs(g, plain(c)), div(g, multiplied, safe)), c.shape(0));
}

function rescaled(c: RuleContext): Value {
  const { g, x, y, dy } = c;
  if (!isFloat(g.dtype(y))) return plain(c); // levels of a quantization
  return over(c, difference(g, x(0)), mul(g, pairs(g, dy), difference(g, y)));
}

function pooled(c: RuleContext, lastWins: boolean): Value {
  const { g, node, x, y, dy } = c;
  const out = pairs(g, y);
  const high = g.emit('Max', [first(g, out), second(g, out)]);
  const gains = g.emit('Concat', [sub(g, high, second(g, out)), sub(g, first(g, out), high)], { axis: 1 });
  const shared = reshape(g, mul(g, pairs(g, dy), gains), c.outShape);
  const back = lastWins
    ? unpooled(g, g.demandOutput(node, 1), shared, x(0))
    : (vjpOf(gradientRules, 'MaxPool', 0) as Vjp)({ ...c, dy: shared });
  return over(c, difference(g, x(0)), sum(g, pairs(g, back), [1]));
}

/** Each value at the element that its window chose; where several windows chose one, the last of them. */
function unpooled(g: GraphBuilder, indices: Value, values: Value, like: Value): Value {
  const flat = (v: Value) => g.emit('Reshape', [v, g.ints([-1])]);
  const placed = g.emit('ScatterElements', [zerosLike(g, flat(like)), flat(indices), flat(values)], {
    axis: 0,
  });
  return reshape(g, placed, g.shape(like));
}
