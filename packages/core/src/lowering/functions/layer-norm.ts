import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { float, type Node } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { eitherWay, madeBy, multipleOf } from './expression.ts';
import { centred, inverseRootOf, isVariance, overRoots, reduced, shifted, squared } from './moments.ts';
import type { Found, Recogniser } from './recogniser.ts';

/** Recognises (x - mean) / deviation: a layer or instance normalisation, by the axes. Scale and bias may follow. */
export const standardized: Recogniser = (g, node) => {
  for (const { top, square, root } of overRoots(g, node)) {
    const whole = centred(g, top);
    const { of, by } = shifted(g, square);
    if (!whole || !isVariance(g, of, whole.of, whole.axes)) continue;
    const parts = { centred: top, ...root };
    return normalisation(g, whole.of, whole.axes, by, parts);
  }
  return undefined;
};

/** Chooses the normalisation over these axes, of all places or of all channels. */
function normalisation(
  g: GraphBuilder,
  x: Value,
  axes: readonly number[],
  epsilon: number,
  parts: Found['parts'] = {},
): Found | undefined {
  const rank = g.shape(x).length;
  const [first] = axes as [number];
  const found = (op: OperatorName, more = {}): Found => ({
    op,
    inputs: [x],
    attributes: { epsilon: float(epsilon), ...more },
    parts,
  });
  const trailing = axes.every((axis, i) => axis === rank - axes.length + i);
  if (trailing && first === 2 && rank > 3) return found('InstanceNormalization');
  if (trailing && first > 0) return found('LayerNormalization', { axis: first });
  return rank === 4 && axes.join() === '1' ? found('LayerNorm2d') : undefined;
}

/** Recognises x over the root of its mean square, along the last axes. */
export const rmsNorm: Recogniser = (g, node) => {
  for (const { top: x, square, root } of overRoots(g, node)) {
    const { of, by } = shifted(g, square);
    const mean = reduced(g, of, 'ReduceMean');
    const rank = mean ? g.shape(x).length : 0;
    if (!mean || squared(g, mean.of) !== x) continue;
    const [axis] = mean.axes as [number];
    if (axis === 0 || mean.axes.some((a, i) => a !== rank - mean.axes.length + i)) continue;
    return { op: 'RMSNormalization', inputs: [x], attributes: { axis, epsilon: float(by) }, parts: root };
  }
  return undefined;
};

/** Recognises TensorFlow's normalisation with scale and bias: x·k + (bias - mean·k) with k = scale / deviation. */
export const foldedNorm: Recogniser = (g, node) => {
  for (const [product, rest] of eitherWay(node)) {
    const scaled = madeBy(g, product, 'Mul');
    for (const [x, k] of scaled ? eitherWay(scaled) : []) {
      const { inverse, scale } = factorsOf(g, k);
      const square = inverseRootOf(g, inverse);
      const offset = square === undefined ? undefined : offsetOf(g, rest, k);
      const mean = reduced(g, offset?.mean, 'ReduceMean');
      const { of, by } = shifted(g, square ?? '');
      if (!offset || mean?.of !== x || !isVariance(g, of, x, mean.axes)) continue;
      const found = normalisation(g, x, mean.axes, by, { mean: offset.mean, inverse });
      const parameters = [scale, offset.bias].flatMap((value) => value ?? []);
      if (!found || (scale === undefined && offset.bias !== undefined)) continue;
      if (parameters.every((value) => isParameter(g, found, value)))
        return { ...found, inputs: [x, ...parameters] };
    }
  }
  return undefined;
};

/** Finds 1/deviation, and the scale by which it is multiplied. */
function factorsOf(g: GraphBuilder, k: Value): { inverse: Value; scale?: Value } {
  const product = madeBy(g, k, 'Mul');
  const [found] = (product ? eitherWay(product) : []).filter(([, scale]) => !g.dependsOnInputs(scale));
  return found ? { inverse: found[0], scale: found[1] } : { inverse: k };
}

/** Finds mean and bias of bias - mean·k. */
function offsetOf(g: GraphBuilder, value: Value, k: Value): { mean: Value; bias?: Value } | undefined {
  const node = madeBy(g, value, 'Sub', 'Add');
  if (node?.op === 'Sub' && !g.dependsOnInputs(node.inputs[0]!)) {
    const mean = timesFactor(g, node.inputs[1]!, k);
    return mean === undefined ? undefined : { mean, bias: node.inputs[0]! };
  }
  for (const [sum, bias] of node?.op === 'Add' ? eitherWay(node) : []) {
    const mean = g.dependsOnInputs(bias) ? undefined : negativeTimes(g, sum, k);
    if (mean !== undefined) return { mean, bias };
  }
  const mean = negativeTimes(g, value, k);
  return mean === undefined ? undefined : { mean };
}

function timesFactor(g: GraphBuilder, value: Value, k: Value): Value | undefined {
  const product = madeBy(g, value, 'Mul');
  return (product ? eitherWay(product) : []).find(([, factor]) => factor === k)?.[0];
}

function negativeTimes(g: GraphBuilder, value: Value, k: Value): Value | undefined {
  const negated = (v: Value | undefined) =>
    madeBy(g, v, 'Neg', 'Mul')?.inputs.find((x) => g.dependsOnInputs(x) && multipleOf(g, v!, x) === -1);
  const outside = negated(value);
  return outside === undefined ? negated(timesFactor(g, value, k)) : timesFactor(g, outside, k);
}

const perChannel = new Set(['InstanceNormalization', 'GroupNormalization', 'LayerNorm2d']);
const normalisations = [...perChannel, 'LayerNormalization', 'RMSNormalization'];

/** Tells whether a constant has the shape of a scale or bias: the shape of the axes, or a number per channel. */
function isParameter(g: GraphBuilder, { op, inputs, attributes }: Found, value: Value): boolean {
  if (g.dependsOnInputs(value) || !g.knows(value)) return false;
  const x = g.shape(inputs[0]!);
  const own = g.shape(value).slice(
    Math.max(
      0,
      g.shape(value).findIndex((d) => d !== 1),
    ),
  );
  if (perChannel.has(op))
    return own.length === x.length - 1 && own.every((d, i) => d === (i === 0 ? x[1] : 1));
  return own.join() === x.slice(attributes?.axis as number).join();
}

/** Adds the scale, then the bias, to a recognised normalisation. */
export const affine: Recogniser = (g, node) => {
  const parameters = node.op === 'Mul' ? 1 : 2;
  for (const [normal, parameter] of eitherWay(node)) {
    const made = madeBy(g, normal, ...normalisations);
    if (made?.spelling && made.inputs.length === parameters && isParameter(g, made, parameter))
      return foundAgain(made, [...made.inputs, parameter]);
  }
  return undefined;
};

const foundAgain = ({ op, attributes, spelling }: Node, inputs: readonly Value[]): Found => ({
  op,
  inputs,
  attributes,
  parts: spelling!.parts,
});
