import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { float } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';
import { branchesOf, mirroredPart, negativePart, positivePart } from './branches.ts';
import { eitherWay, is, madeBy, multipleOf, polynomial, terms } from './expression.ts';
import type { Found, Recogniser } from './recogniser.ts';

/** Recognises leaky ReLU, x above 0 and a·x below: max(x, a·x), a choice by sign, or a sum of two parts. */
export const leakyRelu: Recogniser = (g, node, precision) => {
  const [y] = node.outputs as [Value];
  const found = (x: Value, alpha: number | undefined): Found | undefined =>
    alpha === undefined ? undefined : { op: 'LeakyRelu', inputs: [x], attributes: { alpha: float(alpha) } };
  if (node.op === 'Max' && node.inputs.length === 2) {
    for (const [x, scaled] of eitherWay(node)) {
      const alpha = x === scaled || !g.dependsOnInputs(x) ? undefined : multipleOf(g, scaled, x);
      if (alpha !== undefined && alpha > 0 && alpha < 1) return found(x, alpha);
    }
    return undefined;
  }
  const branches = branchesOf(g, node);
  if (branches) {
    const { tested: x, threshold, above, below } = branches;
    return threshold === 0 && above === x && below !== x ? found(x, multipleOf(g, below, x)) : undefined;
  }
  for (const { part, x } of positiveParts(g, y))
    for (const { value, factor } of otherParts(g, y, x)) {
      const slope = polynomial(g, y, [part, value])?.get('0,1');
      if (slope && is(polynomial(g, y, [part, value]), { '1,0': 1, '0,1': slope }, precision))
        return found(x, slope * factor);
    }
  return fromMagnitude(g, y, precision);
};

/** Recognises PReLU: a leaky ReLU whose slopes are a tensor of constants. */
export const prelu: Recogniser = (g, node) => {
  const branches = branchesOf(g, node);
  if (branches) {
    const { tested: x, threshold, above, below } = branches;
    const slope = threshold === 0 && above === x ? factorOf(g, below, x) : undefined;
    return slope === undefined ? undefined : { op: 'PRelu', inputs: [x, slope] };
  }
  if (node.op !== 'Add' && node.op !== 'Sub') return undefined;
  for (const [half, product] of node.op === 'Add' ? eitherWay(node) : [node.inputs as [Value, Value]]) {
    const x = positivePart(g, half);
    const factors = x === undefined ? undefined : madeBy(g, product, 'Mul');
    for (const [slope, other] of factors ? eitherWay(factors) : []) {
      const sign = negativePart(g, other) === x ? 1 : mirroredPart(g, other) === x ? -1 : 0;
      const scaled = sign === 0 ? undefined : tensor(g, slope, node.op === 'Add' ? sign : -sign);
      if (scaled !== undefined) return { op: 'PRelu', inputs: [x!, scaled] };
    }
  }
  return undefined;
};

interface Half {
  readonly value: Value;
  /** The factor of min(x, 0). */
  readonly factor: number;
}

function* positiveParts(g: GraphBuilder, y: Value): Generator<{ part: Value; x: Value }> {
  for (const { outputs } of terms(g, y, 'Relu', 'Max', 'Clip')) {
    const x = positivePart(g, outputs[0]!);
    if (x !== undefined) yield { part: outputs[0]!, x };
  }
}

function* otherParts(g: GraphBuilder, y: Value, x: Value): Generator<Half> {
  for (const { outputs } of terms(g, y, 'Relu', 'Min', 'Max', 'Clip')) {
    if (negativePart(g, outputs[0]!) === x) yield { value: outputs[0]!, factor: 1 };
    if (mirroredPart(g, outputs[0]!) === x) yield { value: outputs[0]!, factor: -1 };
  }
}

/** Recognises max(x, 0) + a·(x - |x|)/2. */
function fromMagnitude(g: GraphBuilder, y: Value, precision: number): Found | undefined {
  for (const { part, x } of positiveParts(g, y))
    for (const { inputs, outputs } of terms(g, y, 'Abs')) {
      const sum = inputs[0] === x ? polynomial(g, y, [part, x, outputs[0]!]) : undefined;
      const half = sum?.get('0,1,0');
      if (half && is(sum, { '1,0,0': 1, '0,1,0': half, '0,0,1': -half }, precision))
        return { op: 'LeakyRelu', inputs: [x], attributes: { alpha: float(2 * half) } };
    }
  return undefined;
}

/** Finds the tensor by which x is multiplied. */
function factorOf(g: GraphBuilder, value: Value, x: Value): Value | undefined {
  const product = madeBy(g, value, 'Mul');
  const [, factor] = (product ? eitherWay(product) : []).find(([v]) => v === x) ?? [];
  return factor === undefined ? undefined : tensor(g, factor, 1);
}

/** Returns a constant of more than one element, or makes its negative. */
function tensor(g: GraphBuilder, value: Value, sign: number): Value | undefined {
  const constant = g.constants.get(value);
  if (constant?.dtype !== 'float32' || sizeOf(constant.shape) < 2) return undefined;
  return sign === 1
    ? value
    : g.constant({ ...constant, data: (constant.data as Float32Array<ArrayBuffer>).map((v) => -v) });
}
