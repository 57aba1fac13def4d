import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { int, ints, type Node } from '../../onnx/graph.ts';
import { axisOf } from '../../operators/shape/rule.ts';
import { eitherWay, madeBy } from './expression.ts';
import type { Recogniser } from './recogniser.ts';

/** Softmax along an axis that is turned to the end and back, as before opset 13, which had it along the last one alone. */
export const turnedSoftmax: Recogniser = (g, node) => {
  const soft = madeBy(g, node.inputs[0], 'Softmax', 'LogSoftmax');
  const turned = madeBy(g, soft?.inputs[0], 'Transpose');
  const [there, back] = [turned && ints(turned, 'perm'), ints(node, 'perm')];
  if (!soft || !turned || !there || !back?.every((axis, i) => there[axis] === i)) return undefined;
  const axis = there[axisOf(int(soft, 'axis', -1), there.length)]!;
  return { op: soft.op, inputs: [turned.inputs[0]!], attributes: { axis } };
};

/** Softmax by hand: exp(z) / Σ exp(z) along one axis, as a quotient or a product; of z - max(z), it is that of z. */
export const writtenSoftmax: Recogniser = (g, node) => {
  const [a, b] = node.inputs as [Value, Value];
  const pairs =
    node.op === 'Div'
      ? [[a, b] as const]
      : eitherWay(node).map(([x, other]) => [x, madeBy(g, other, 'Reciprocal')?.inputs[0]] as const);
  for (const [top, bottom] of pairs) {
    const exponential = madeBy(g, top, 'Exp');
    const total = madeBy(g, bottom, 'ReduceSum');
    if (!exponential || total?.inputs[0] !== top) continue;
    const axis = keptAxis(g, total);
    if (axis === undefined) continue;
    return { op: 'Softmax', inputs: [beforeShift(g, exponential.inputs[0]!, axis)], attributes: { axis } };
  }
  return undefined;
};

/** Log-softmax by hand: the logarithm of a softmax, or z less the logarithm of Σ exp(z). */
export const writtenLogSoftmax: Recogniser = (g, node) => {
  if (node.op === 'Log') {
    const soft = madeBy(g, node.inputs[0], 'Softmax');
    return soft && { op: 'LogSoftmax', inputs: [soft.inputs[0]!], attributes: soft.attributes };
  }
  const [z, total] = node.inputs as [Value, Value];
  const whole = madeBy(g, total, 'ReduceLogSumExp');
  const sum = madeBy(g, madeBy(g, total, 'Log')?.inputs[0], 'ReduceSum');
  const exponential = madeBy(g, sum?.inputs[0], 'Exp');
  const reduced = whole ?? sum;
  if (!reduced || (whole ?? exponential)?.inputs[0] !== z) return undefined;
  const axis = keptAxis(g, reduced);
  if (axis === undefined) return undefined;
  return { op: 'LogSoftmax', inputs: [beforeShift(g, z, axis)], attributes: { axis } };
};

/** The only axis that a reduction takes, if it keeps it. */
function keptAxis(g: GraphBuilder, node: Node): number | undefined {
  const axes = node.inputs[1] ? g.elements(node.inputs[1]) : undefined;
  if (axes?.length !== 1 || int(node, 'keepdims', 1) !== 1) return undefined;
  return axisOf(axes[0]!, g.shape(node.inputs[0]!).length);
}

/** z of z - max(z): what is the same all along an axis changes no softmax along it. */
function beforeShift(g: GraphBuilder, value: Value, axis: number): Value {
  const shifted = madeBy(g, value, 'Sub');
  const highest = madeBy(g, shifted?.inputs[1], 'ReduceMax');
  if (!shifted || !highest || highest.inputs[0] !== shifted.inputs[0]) return value;
  return keptAxis(g, highest) === axis ? shifted.inputs[0]! : value;
}
