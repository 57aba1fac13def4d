import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { add, matmul, reshape, transpose, unsqueeze } from '../onnx/emit.ts';
import { int, ints, type Node, real } from '../onnx/graph.ts';
import { rowsOf } from '../operators/row-by-row.ts';
import { operators } from '../operators/table.ts';
import { sizeOf } from '../tensor.ts';

/** The score of one class per row, computed from the input of the network's last layer. */
export interface ClassScore {
  /** [rows, 1] */
  readonly score: Value;
  /** Values of the network that are not needed for the score. */
  readonly without: ReadonlySet<Value>;
}

interface LastLayer {
  readonly node: Node;
  readonly features: Value;
  /** [classes, F] or [F, classes] */
  readonly weights: Value;
  readonly classAxis: 0 | 1;
  readonly bias: Value | undefined;
}

/**
 * Computes the logit of each row's class from the weights of that class alone:
 *
 *     y_c = pool(relu(Σ_k x_k W_kc + b_c))
 *
 * The backward pass of all classes would carry one row of numbers and zeros for the rest; a convolution that scores
 * 1000 classes at every position is a quarter of SqueezeNet.
 *
 * @returns `undefined` if the network ends in another form
 */
export function classScore(g: GraphBuilder, logits: Value, target: Value): ClassScore | undefined {
  const chain: Node[] = [];
  let value = logits;
  let last: LastLayer | undefined;
  for (;;) {
    const node = g.maker(value);
    if (!node) return undefined;
    last = lastLayer(g, node);
    if (last) break;
    const from = perClass(g, node);
    if (from === undefined) return undefined;
    chain.push(node);
    value = from;
  }
  const score = chain.reduceRight(
    (score, node) => applied(g, node, score, target),
    linearScore(g, last, target),
  );
  return {
    score: reshape(g, score, [g.shape(logits)[0]!, 1]),
    without: new Set([last.node, ...chain].flatMap(({ outputs }) => outputs)),
  };
}

/** Gives the input of an operator that treats each image and each class [N, classes, …] by itself. */
function perClass(g: GraphBuilder, node: Node): Value | undefined {
  const [x] = node.inputs as [Value];
  const [from, to] = [g.shape(x), g.shape(node.outputs[0]!)];
  if (node.op === 'Add') return withoutBias(g, node);
  const alone = [0, 1].every((axis) => {
    const axes = rowsOf(g, node, axis);
    if (!axes) return false;
    const [own, ...others] = axes;
    return (own === axis || (from[axis] === 1 && to[axis] === 1)) && others.every((other) => other === null);
  });
  return alone && !node.inputs.slice(1).some((input) => g.dependsOnInputs(input)) ? x : undefined;
}

/** Gives the value that a bias is added to. */
function withoutBias(g: GraphBuilder, { inputs, outputs }: Node): Value | undefined {
  const [x, other] = inputs as [Value, Value];
  const to = g.shape(outputs[0]!);
  const [bias, moving] = g.maker(x) ? [other, x] : [x, other];
  const constant = g.constants.get(bias);
  return constant &&
    sizeOf(constant.shape) === to[1] &&
    constant.shape.at(-1) === to[1] &&
    g.shape(moving).join() === to.join() && // a score that all classes share is none of theirs
    to.length === 2
    ? moving
    : undefined;
}

/** Applies such an operator to the score of one class, [N, 1, …]. */
function applied(g: GraphBuilder, node: Node, score: Value, target: Value): Value {
  if (node.op === 'Add')
    return add(g, score, ofEach(g, node.inputs.find((input) => g.constants.has(input))!, target));
  if (operators[node.op].movement === 'view')
    return reshape(g, score, [...g.shape(score).slice(0, 2), ...g.shape(node.outputs[0]!).slice(2)]);
  return g.copy(node, [score, ...node.inputs.slice(1)])[0]!;
}

/** Computes Σ_k x_k W_kc + b_c, [N, 1] or [N, 1, h, w]. */
function linearScore(
  g: GraphBuilder,
  { features, weights, classAxis, bias }: LastLayer,
  target: Value,
): Value {
  const [rows, width, ...size] = g.shape(features) as [number, number, ...number[]];
  const taken = g.emit('Gather', [weights, target], { axis: classAxis });
  const ofClass = unsqueeze(g, classAxis === 0 ? taken : transpose(g, taken, [1, 0]), [1]);
  const products = matmul(g, ofClass, reshape(g, features, [rows, width, sizeOf(size)]));
  const score = reshape(g, products, [rows, 1, ...size]);
  if (!bias) return score;
  return add(g, score, reshape(g, ofEach(g, bias, target), [rows, 1, ...size.map(() => 1)]));
}

/** Takes, from a number per class, that of each row's class: [N, 1]. */
const ofEach = (g: GraphBuilder, perClass: Value, target: Value): Value =>
  unsqueeze(
    g,
    g.emit('Gather', [reshape(g, perClass, [sizeOf(g.shape(perClass))]), target], { axis: 0 }),
    [1],
  );

/** Recognises a linear layer over features [N, F], or the same layer at each position of a map [N, F, h, w]. */
function lastLayer(g: GraphBuilder, node: Node): LastLayer | undefined {
  const [features, weights, bias] = node.inputs as [Value, Value, Value?];
  if (!g.constants.has(weights ?? '') || (bias && !g.constants.has(bias))) return undefined;
  const shape = g.shape(weights);
  if (node.op === 'MatMul' && shape.length === 2 && g.shape(features).length === 2)
    return { node, features, weights, classAxis: 1, bias };
  if (
    node.op === 'Gemm' &&
    isPlain(node) &&
    (!bias || g.shape(bias).join() === `${g.shape(node.outputs[0]!)[1]}`)
  )
    return { node, features, weights, classAxis: int(node, 'transB', 0) ? 0 : 1, bias };
  if (node.op !== 'Conv' || !isPointwise(node, shape)) return undefined;
  return { node, features, weights: reshape(g, weights, shape.slice(0, 2)), classAxis: 0, bias };
}

const isPlain = (node: Node): boolean =>
  !int(node, 'transA', 0) && real(node, 'alpha', 1) === 1 && real(node, 'beta', 1) === 1;

const isPointwise = (node: Node, weights: readonly number[]): boolean =>
  weights.slice(2).every((k) => k === 1) &&
  int(node, 'group', 1) === 1 &&
  (ints(node, 'strides') ?? []).every((s) => s === 1) &&
  (ints(node, 'pads') ?? []).every((p) => p === 0);
