import { float, real } from '../../onnx/graph.ts';
import { is, near, operandsOf, polynomial, scalar, terms } from './expression.ts';
import type { Recogniser } from './recogniser.ts';

/** Slopes of the known hard sigmoids: PyTorch's, and the slope of Keras 2 and of ONNX's default. */
const slopes = [1 / 6, 0.2];

/** Recognises hard sigmoid, clip(x·a + ½, 0, 1), as k·clip(x·a/k + ½/k, 0, 1/k): relu6(x + 3)/6. */
export const hardSigmoid: Recogniser = (g, node, precision) => {
  const [y] = node.outputs as [string];
  for (const clip of terms(g, y, 'Clip')) {
    const [low, high] = [scalar(g, clip.inputs[1]), scalar(g, clip.inputs[2])];
    if (low !== 0 || !high || !is(polynomial(g, y, clip.outputs), { 1: 1 / high }, precision)) continue;
    for (const x of operandsOf(g, clip.inputs[0]!)) {
      const line = polynomial(g, clip.inputs[0]!, [x]);
      const slope = slopes.find((a) => is(line, { 0: high / 2, 1: high * a }, precision));
      if (slope === undefined) continue;
      const attributes = { alpha: float(line!.get('1')! / high), beta: float(0.5) };
      return { op: 'HardSigmoid', inputs: [x], attributes };
    }
  }
  return undefined;
};

/** Recognises hard swish, x·hardsigmoid(x) with a = ⅙; the factor ⅙ may stand first or last. */
export const hardSwish: Recogniser = (g, node, precision) => {
  const [y] = node.outputs as [string];
  for (const gate of terms(g, y, 'HardSigmoid', 'Clip')) {
    for (const x of operandsOf(g, gate.inputs[0]!)) {
      const product = polynomial(g, y, [x, gate.outputs[0]!]);
      if (gate.op === 'HardSigmoid') {
        const right = near(real(gate, 'alpha', 0.2), 1 / 6, precision) && real(gate, 'beta', 0.5) === 0.5;
        if (right && gate.inputs[0] === x && is(product, { '1,1': 1 }, precision))
          return { op: 'HardSwish', inputs: [x] };
        continue;
      }
      const [low, high] = [scalar(g, gate.inputs[1]), scalar(g, gate.inputs[2])];
      if (low !== 0 || !high || !is(product, { '1,1': 1 / high }, precision)) continue;
      if (is(polynomial(g, gate.inputs[0]!, [x]), { 0: high / 2, 1: high / 6 }, precision))
        return { op: 'HardSwish', inputs: [x] };
    }
  }
  return undefined;
};
