import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { float, real } from '../../onnx/graph.ts';
import { branchesOf, negativePart, positivePart } from './branches.ts';
import { madeBy, multipleOf, near, operandsOf, polynomial, terms } from './expression.ts';
import type { Found, Recogniser } from './recogniser.ts';

/** SELU's constants. */
const [alpha, gamma] = [1.6732632423543772, 1.0507009873554805];

/**
 * Recognises ELU, α·(eˣ - 1) below 0 and x above; CELU, α·(e^(x/α) - 1) below; SELU, γ times an ELU; each as a choice
 * by sign, or as the sum of two terms of which each is 0 on one side.
 */
export const elu: Recogniser = (g, node, precision) => {
  const [y] = node.outputs as [Value];
  const branches = branchesOf(g, node);
  if (branches) {
    const { tested: x, threshold, above, below } = branches;
    const slope = threshold === 0 ? multipleOf(g, above, x) : undefined;
    const curve = slope === undefined ? undefined : exponential(g, below, x, precision);
    return curve && named(x, slope!, curve, precision);
  }
  for (const part of terms(g, y, 'Relu', 'Max', 'Clip')) {
    const [half] = part.outputs as [Value];
    const x = positivePart(g, half);
    if (x === undefined) continue;
    for (const { outputs } of terms(g, y, 'Min', 'Exp')) {
      const [other] = outputs as [Value];
      const sum = polynomial(g, y, [half, other]);
      const slope = sum?.get('1,0') ?? 0;
      const factor = sum?.get('0,1') ?? 0;
      if (!sum || !slope || !factor) continue;
      const rest = [...sum].filter(([key, c]) => c !== 0 && key !== '1,0' && key !== '0,1');
      const inner = rest.length === 0 ? negativePart(g, other) : undefined;
      const curve = inner
        ? exponential(g, inner, x, precision)
        : rest.length === 1 && near(sum.get('0,0'), -factor, precision)
          ? belowZero(g, other, x)
          : undefined;
      const found = curve && named(x, slope, { ...curve, factor: curve.factor * factor }, precision);
      if (found) return found;
    }
  }
  return scaledElu(g, y, precision);
};

/** factor·(e^(rate·x) - 1) */
interface Curve {
  readonly factor: number;
  readonly rate: number;
}

function exponential(g: GraphBuilder, value: Value, x: Value, precision: number): Curve | undefined {
  for (const { inputs, outputs } of terms(g, value, 'Exp')) {
    const curve = polynomial(g, value, outputs);
    const factor = curve?.get('1') ?? 0;
    const rate = multipleOf(g, inputs[0]!, x) ?? belowZero(g, outputs[0]!, x)?.rate;
    if (factor !== 0 && curve!.size === 2 && near(curve!.get('0'), -factor, precision) && rate !== undefined)
      return { factor, rate };
  }
  return undefined;
}

/** e^(rate·min(x, 0)) */
function belowZero(g: GraphBuilder, value: Value, x: Value): Curve | undefined {
  const exp = madeBy(g, value, 'Exp');
  for (const half of exp ? operandsOf(g, exp.inputs[0]!) : []) {
    const rate = negativePart(g, half) === x ? multipleOf(g, exp!.inputs[0]!, half) : undefined;
    if (rate !== undefined) return { factor: 1, rate };
  }
  return undefined;
}

function named(x: Value, slope: number, { factor, rate }: Curve, precision: number): Found | undefined {
  const inputs = [x];
  if (near(slope, 1, precision) && near(rate, 1, precision) && factor > 0)
    return { op: 'Elu', inputs, attributes: { alpha: float(factor) } };
  if (near(slope, 1, precision) && rate > 0 && near(factor, 1 / rate, precision))
    return { op: 'Celu', inputs, attributes: { alpha: float(factor) } };
  if (near(rate, 1, precision) && near(slope, gamma, precision) && near(factor, gamma * alpha, precision))
    return { op: 'Selu', inputs, attributes: { alpha: float(factor / slope), gamma: float(slope) } };
  return undefined;
}

function scaledElu(g: GraphBuilder, y: Value, precision: number): Found | undefined {
  for (const elu of terms(g, y, 'Elu')) {
    const slope = multipleOf(g, y, elu.outputs[0]!);
    if (slope !== undefined && near(slope, gamma, precision) && near(real(elu, 'alpha', 1), alpha, precision))
      return {
        op: 'Selu',
        inputs: [elu.inputs[0]!],
        attributes: { alpha: float(real(elu, 'alpha', 1)), gamma: float(slope) },
      };
  }
  return undefined;
}
