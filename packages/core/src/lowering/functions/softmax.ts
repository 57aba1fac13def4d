import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { int, ints, type Node } from '../../onnx/graph.ts';
import { axisOf } from '../../operators/shape/rule.ts';
import { eitherWay, madeBy } from './expression.ts';
import type { Recogniser } from './recogniser.ts';

/** Recognises a softmax along an axis moved to the end and back: before opset 13 it ran along the last axis alone. */
export const turnedSoftmax: Recogniser = (g, node) => {
  const soft = madeBy(g, node.inputs[0], 'Softmax', 'LogSoftmax');
  const turned = madeBy(g, soft?.inputs[0], 'Transpose');
  const [there, back] = [turned && ints(turned, 'perm'), ints(node, 'perm')];
  if (!soft || !turned || !there || !back?.every((axis, i) => there[axis] === i)) return undefined;
  const axis = there[axisOf(int(soft, 'axis', -1), there.length)]!;
  return { op: soft.op, inputs: [turned.inputs[0]!], attributes: { axis } };
};

/** Recognises exp(z) / Σ exp(z) along one axis, as a quotient or product; z - max(z) has the same softmax as z. */
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

/** Recognises a written-out log-softmax: the logarithm of a softmax, or z - log Σ exp(z). */
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

/** Finds the only axis of a reduction, if the reduction keeps it. */
function keptAxis(g: GraphBuilder, node: Node): number | undefined {
  const axes = node.inputs[1] ? g.elements(node.inputs[1]) : undefined;
  if (axes?.length !== 1 || int(node, 'keepdims', 1) !== 1) return undefined;
  return axisOf(axes[0]!, g.shape(node.inputs[0]!).length);
}

/** Finds z of z - max(z): a constant along an axis changes no softmax along that axis. */
function beforeShift(g: GraphBuilder, value: Value, axis: number): Value {
  const shifted = madeBy(g, value, 'Sub');
  const highest = madeBy(g, shifted?.inputs[1], 'ReduceMax');
  if (!shifted || !highest || highest.inputs[0] !== shifted.inputs[0]) return value;
  return keptAxis(g, highest) === axis ? shifted.inputs[0]! : value;
}
