import { int, ints } from '../../onnx/graph.ts';
import { axisOf } from '../../operators/shape/rule.ts';
import { madeBy } from './expression.ts';
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
