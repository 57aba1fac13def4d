import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, div, mul, number, scale, sub } from '../../onnx/emit.ts';
import { int, type Node } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { maxPoolVjp } from '../../operators/pooling.ts';
import { axisOf } from '../../operators/shape/rule.ts';
import { gate, type RuleContext } from '../../operators/vjp/rule.ts';
import type { Composites, Composition } from '../composition.ts';

// Functions that exporters spell out, with derivatives that are cheaper than those of their operators in turn.

/** max(relu(x)): closing the gates of the maxima closes those of all that they were chosen of. */
function maxOfRelu(g: GraphBuilder, node: Node): Composition | undefined {
  const relu = g.maker(node.inputs[0]!);
  if (relu?.op !== 'Relu') return undefined;
  return {
    xs: [relu.inputs[0]!],
    inner: [relu],
    vjp: (c) => [maxPoolVjp({ ...c, dy: open(c) })],
  };
}

/** concat(relu(x₁), relu(x₂), …): one gate for all. */
function concatOfRelus(g: GraphBuilder, node: Node): Composition | undefined {
  const relus = node.inputs.flatMap((input) => g.maker(input) ?? []).filter(({ op }) => op === 'Relu');
  if (relus.length < node.inputs.length || relus.length < 2) return undefined;
  const axis = axisOf(int(node, 'axis', 0), g.shape(node.inputs[0]!).length);
  const lengths = node.inputs.map((input) => g.shape(input)[axis]!);
  if (lengths.some((length) => length < 0)) return undefined;
  return {
    xs: relus.map(({ inputs }) => inputs[0]!),
    inner: relus,
    vjp: (c) => g.emitAll('Split', [open(c), g.ints(lengths)], { axis }, lengths.length),
  };
}

/** The cotangent where the output of a ReLU is not 0. */
const open = ({ g, y, dy }: RuleContext): Value => gate(g, g.emit('Greater', [y, number(g, 0, y)]), dy);

/** SiLU, y = x·s with s = sigmoid(x): dx = dy·(s + y·(1 - s)). */
function silu(g: GraphBuilder, { inputs: [a, b] }: Node): Composition | undefined {
  for (const [x, s] of [
    [a!, b!],
    [b!, a!],
  ] as const) {
    const sigmoid = g.maker(s);
    if (sigmoid?.op !== 'Sigmoid' || sigmoid.inputs[0] !== x) continue;
    const vjp: Composition['vjp'] = ({ y, dy }) => [
      mul(g, dy, add(g, s, mul(g, y, sub(g, number(g, 1, s), s)))),
    ];
    return { xs: [x], inner: [sigmoid], vjp };
  }
  return undefined;
}

/** GELU but for a factor, y = x·(1 + erf(u)) with u = r·x: dx = dy·(1 + erf(u) + 2/√π·u·exp(-u²)). */
function gelu(g: GraphBuilder, { inputs: [a, b] }: Node): Composition | undefined {
  for (const [x, sum] of [
    [a!, b!],
    [b!, a!],
  ] as const) {
    const shifted = constantAnd(g, sum, 'Add');
    if (shifted?.constant !== 1) continue;
    const erf = g.maker(shifted.value);
    if (erf?.op !== 'Erf') continue;
    const u = erf.inputs[0]!;
    const scaled = constantAnd(g, u, 'Mul', 'Div');
    if (scaled?.value !== x) continue;
    const vjp: Composition['vjp'] = ({ dy }) => {
      const density = div(g, u, g.emit('Exp', [mul(g, u, u)]));
      return [mul(g, dy, add(g, sum, scale(g, density, 2 / Math.sqrt(Math.PI))))];
    };
    return { xs: [x], inner: [g.maker(sum)!, erf, g.maker(u)!], vjp };
  }
  return undefined;
}

/** What an operator, one of these, makes of a value and a number. */
function constantAnd(
  g: GraphBuilder,
  made: Value,
  ...ops: OperatorName[]
): { value: Value; constant: number } | undefined {
  const node = g.maker(made);
  if (!node || !ops.includes(node.op)) return undefined;
  const [a, b] = node.inputs as [Value, Value];
  const number = (v: Value) => (g.elements(v)?.length === 1 ? g.elements(v)![0] : undefined);
  const [left, right] = [number(a), number(b)];
  if (right !== undefined) return { value: a, constant: right };
  return left !== undefined && node.op !== 'Div' ? { value: b, constant: left } : undefined;
}

export const composites: Composites = {
  Concat: [concatOfRelus],
  MaxPool: [maxOfRelu],
  Mul: [silu, gelu],
};
