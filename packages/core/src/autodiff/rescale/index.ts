import type { Expression } from '../../onnx/expression.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { reductionAxes } from '../../operators/reduction.ts';
import { operatorsThat } from '../../operators/table.ts';
import {
  given,
  type RuleContext,
  type Vjp,
  type VjpRow,
  type VjpRules,
  withVjp,
} from '../../operators/vjp/rule.ts';
import { derivative, gradientRules } from '../gradient.ts';
import { captumRules } from './captum.ts';
import {
  absoluteSum,
  composed,
  groupNormalization,
  instanceNormalization,
  l2Normalization,
  lastAxis,
  layerNorm2d,
  layerNormalization,
  localResponse,
  logSoftmax,
  logSum,
  logSumExp,
  rmsNormalization,
  shifted,
  softmax,
} from './compositions.ts';
import { extremum } from './extrema.ts';
import { norm, squareSum } from './norms.ts';
import { type Pairs, pairsOf } from './pairs.ts';
import { averaged, quotient, shapley } from './products.ts';
import { reciprocalSecant, rootSecant, secant, squareSecant } from './secant.ts';

// DeepLIFT's multipliers as a backward pass. Rows come in pairs: an image and the baseline that it is compared with.
// Every rule satisfies Σ m·Δx = Δy, so that attributions add up to the difference of the scores.

/** Elementwise operators that are no nonlinear functions: a choice, and conversions of values to other types. */
const passing: readonly OperatorName[] = ['Where', 'Cast', 'CastLike', 'QuantizeLinear'];

/** Elementwise operators with a slope that are not linear in any of their inputs. */
export const nonlinear = operatorsThat(
  ({ elementwise, linear, vjp }) => elementwise && linear === 'no' && vjp !== null && hasSlope(vjp),
).filter((op) => !passing.includes(op));

/** Operators that are linear in each of two values while the other is constant. */
const bilinear = operatorsThat(({ linear, data, vjp }) => linear === 'each' && data > 1 && vjp !== null);

/**
 * The multipliers of every operator that has a derivative; those of a linear operator are its derivative.
 *
 * @param values the explained value, [rows, …]: the image and the baseline in turns
 * @param captum adds three deviations of Captum: the rescale rule is for six nonlinearities only; if windows overlap,
 *   only the last window counts; and a pool right after one of the six has its plain gradient
 */
export function rescaleRules(values: Expression, captum: boolean): VjpRules {
  const pairs = pairsOf(values.shape[0]!);
  if (captum) return { ...gradientRules, ...captumRules(pairs, values.name) };
  const rules: VjpRules = { ...gradientRules, ...paperRules(pairs, () => rules) };
  return rules;
}

/** Steps have no rule: their slope is 0, and their multiplier would have no bound. */
function hasSlope(row: VjpRow): boolean {
  return typeof row === 'function' || row.some((vjp) => vjp);
}

const each = (ops: readonly OperatorName[], vjp: Vjp): VjpRules =>
  Object.fromEntries(ops.map((op) => [op, withVjp(gradientRules[op]!, vjp)]));

function paperRules(pairs: Pairs, rules: () => VjpRules): VjpRules {
  const exponential = (composition: typeof softmax, axes = lastAxis) =>
    shifted(axes, composition, pairs, rules);
  const written = (composition: typeof softmax) => composed(composition, rules);
  return {
    ...each(nonlinear, bent(pairs)),
    ...each(bilinear, averaged(pairs)),
    Sqrt: [rootSecant(pairs)],
    Reciprocal: [reciprocalSecant(pairs)],
    Div: quotient(pairs),
    MaxPool: [extremum(pairs, 'Max')],
    GlobalMaxPool: [extremum(pairs, 'Max')],
    ReduceMax: [extremum(pairs, 'Max')],
    ReduceMin: [extremum(pairs, 'Min')],
    Softmax: [exponential(softmax)],
    LogSoftmax: [exponential(logSoftmax)],
    ReduceLogSumExp: [exponential(logSumExp, reductionAxes)],
    LayerNormalization: written(layerNormalization),
    RMSNormalization: written(rmsNormalization),
    InstanceNormalization: [written(instanceNormalization)],
    GroupNormalization: [written(groupNormalization)],
    LayerNorm2d: [written(layerNorm2d)],
    L2Normalization: [written(l2Normalization)],
    LRN: [written(localResponse)],
    ReduceL1: [written(absoluteSum)],
    ReduceLogSum: [written(logSum)],
    ReduceL2: [norm(pairs)],
    ReduceSumSquare: [squareSum(pairs)],
  };
}

/** Chooses the rule of a nonlinear function by how many of its inputs move. */
function bent(pairs: Pairs): Vjp {
  const [one, two] = [secant(pairs), shapley(pairs)];
  return (c) => {
    const inputs = c.node.inputs.flatMap((_, i) => given(c, i) ?? []);
    const moving = inputs.filter(pairs.varies).length;
    if (moving > 1) return c.node.inputs.length === 2 ? two(c) : derivative(c);
    return isSquare(c) ? squareSecant(pairs)(c) : one(c);
  };
}

const isSquare = (c: RuleContext): boolean =>
  c.node.op === 'Pow' && c.index === 0 && (c.x(1).elements?.every((p) => p === 2) ?? false);

/** Operators that have a rule of their own. */
export const ruled: readonly OperatorName[] = Object.keys(
  paperRules(pairsOf(-2), () => ({})),
) as OperatorName[];
