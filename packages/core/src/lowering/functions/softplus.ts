import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { branchesOf, negativePart, positivePart } from './branches.ts';
import { is, madeBy, multipleOf, operandsOf, polynomial, terms } from './expression.ts';
import type { Recogniser } from './recogniser.ts';

/** The x from which softplus(x) is x in float32. */
const linearFrom = 15;

/** Recognises softplus: log(1 + eˣ); the same up to a threshold and x above it; max(x, 0) + log(1 + e^-|x|). */
export const softplus: Recogniser = (g, node, precision) => {
  const [y] = node.outputs as [Value];
  if (node.op === 'Log') {
    const exponential = terms(g, node.inputs[0]!, 'Exp').next().value;
    return exponential && is(polynomial(g, node.inputs[0]!, exponential.outputs), { 0: 1, 1: 1 }, precision)
      ? { op: 'Softplus', inputs: [exponential.inputs[0]!] }
      : undefined;
  }
  const branches = branchesOf(g, node);
  if (branches) {
    const { tested: x, threshold, above, below } = branches;
    const curved = madeBy(g, below, 'Softplus');
    return curved?.inputs[0] === x && above === x && threshold >= linearFrom
      ? { op: 'Softplus', inputs: [x] }
      : undefined;
  }
  const stable = stableParts(g, y);
  const x = stable && positivePart(g, stable.part);
  return x && stable.x === x && is(stable.sum, { '1,0': 1, '0,1': 1 }, precision)
    ? { op: 'Softplus', inputs: [x] }
    : undefined;
};

/** Recognises log-sigmoid: log(sigmoid(x)), -softplus(-x), min(x, 0) - log(1 + e^-|x|), or a choice of them by sign. */
export const logSigmoid: Recogniser = (g, node, precision) => {
  const [y] = node.outputs as [Value];
  if (node.op === 'Log') {
    const sigmoid = madeBy(g, node.inputs[0], 'Sigmoid');
    return (
      sigmoid && { op: 'LogSigmoid', inputs: [sigmoid.inputs[0]!], parts: { sigmoid: sigmoid.outputs[0]! } }
    );
  }
  const branches = branchesOf(g, node);
  if (branches) {
    const { tested: x, above, below } = branches;
    return [above, below].every((value) => isLogSigmoid(g, value, x, precision))
      ? { op: 'LogSigmoid', inputs: [x] }
      : undefined;
  }
  for (const curved of terms(g, y, 'Softplus'))
    for (const x of operandsOf(g, curved.inputs[0]!))
      if (multipleOf(g, curved.inputs[0]!, x) === -1 && multipleOf(g, y, curved.outputs[0]!) === -1)
        return { op: 'LogSigmoid', inputs: [x] };
  const stable = stableParts(g, y);
  const x = stable && negativePart(g, stable.part);
  return x && stable.x === x && is(stable.sum, { '1,0': 1, '0,1': -1 }, precision)
    ? { op: 'LogSigmoid', inputs: [x] }
    : undefined;
};

/** Tells whether a value is log-sigmoid of x: as a node, or as x - softplus(x). */
function isLogSigmoid(g: GraphBuilder, value: Value, x: Value, precision: number): boolean {
  if (madeBy(g, value, 'LogSigmoid')?.inputs[0] === x) return true;
  return [...terms(g, value, 'Softplus')].some(
    ({ inputs, outputs }) =>
      inputs[0] === x && is(polynomial(g, value, [x, outputs[0]!]), { '1,0': 1, '0,1': -1 }, precision),
  );
}

/** Reads a sum of `part` and softplus(-|x|) as a polynomial in these two values. */
function stableParts(g: GraphBuilder, y: Value) {
  for (const curved of terms(g, y, 'Softplus')) {
    const magnitude = terms(g, curved.inputs[0]!, 'Abs').next().value;
    if (!magnitude || multipleOf(g, curved.inputs[0]!, magnitude.outputs[0]!) !== -1) continue;
    for (const { outputs } of terms(g, y, 'Max', 'Min', 'Relu', 'Clip')) {
      const sum = polynomial(g, y, [outputs[0]!, curved.outputs[0]!]);
      if (sum) return { part: outputs[0]!, x: magnitude.inputs[0]!, sum };
    }
  }
  return undefined;
}
