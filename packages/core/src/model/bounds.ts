import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Node } from '../onnx/graph.ts';
import { operators } from '../operators/table.ts';
import { squashing } from './squashed.ts';

/** The lowest and the highest number that a value can have, for any image. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

const any: Bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
const unit: Bounds = { low: 0, high: 1 };
const deepest = 100;

/** Computes bounds through arithmetic with bounded values; layers with weights and unknown operators have no bounds. */
export function boundsOf(g: GraphBuilder, value: Value): Bounds {
  const known = new Map<Value, Bounds>();
  const of = (v: Value, depth: number): Bounds => {
    const found = known.get(v);
    if (found) return found;
    known.set(v, any);
    const made = depth > deepest ? any : read(v, depth);
    known.set(v, Number.isNaN(made.low + made.high) ? any : made);
    return known.get(v)!;
  };
  const read = (v: Value, depth: number): Bounds => {
    if (!g.dependsOnInputs(v)) return constantBounds(g, v);
    const node = g.maker(v);
    if (!node) return any;
    return boundsAfter(g, node, (i) => of(node.inputs[i]!, depth + 1)) ?? any;
  };
  return of(value, 0);
}

function constantBounds(g: GraphBuilder, value: Value): Bounds {
  const numbers = g.constants.get(value)?.data ?? g.elements(value);
  if (!numbers || numbers.length === 0) return any;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of numbers) {
    low = Math.min(low, Number(v));
    high = Math.max(high, Number(v));
  }
  return { low, high };
}

/** Tells whether a node computes a share: x over Σ x, for values that are never negative. */
export function isShare(g: GraphBuilder, node: Node): boolean {
  if (node.op !== 'Div') return false;
  const total = g.maker(node.inputs[1]!);
  return (
    total?.op === 'ReduceSum' && total.inputs[0] === node.inputs[0] && boundsOf(g, node.inputs[0]!).low >= 0
  );
}

function boundsAfter(g: GraphBuilder, node: Node, of: (input: number) => Bounds): Bounds | undefined {
  const all = () => node.inputs.map((_, i) => of(i));
  const corners = (f: (a: number, b: number) => number): Bounds => {
    const [a, b] = [of(0), of(1)];
    const values = [f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)];
    return { low: Math.min(...values), high: Math.max(...values) };
  };
  const rising = (f: (v: number) => number): Bounds => ({ low: f(of(0).low), high: f(of(0).high) });
  if (node.op === 'Tanh' || node.op === 'Erf' || node.op === 'Softsign') return { low: -1, high: 1 };
  if (node.op === 'LogSoftmax' || node.op === 'LogSigmoid') return { low: any.low, high: 0 };
  if (squashing.has(node.op)) return unit;
  if (operators[node.op].movement !== 'no') {
    const moved = node.op === 'Concat' ? all() : [of(0)];
    const zero = node.op === 'Pad' ? [{ low: 0, high: 0 }] : [];
    const both = [...moved, ...zero];
    return { low: Math.min(...both.map((b) => b.low)), high: Math.max(...both.map((b) => b.high)) };
  }
  switch (node.op) {
    case 'Cast':
    case 'ReduceMean':
    case 'ReduceMax':
    case 'ReduceMin':
    case 'GlobalAveragePool':
    case 'GlobalMaxPool':
      return of(0);
    case 'Relu':
      return rising((v) => Math.max(v, 0));
    case 'Clip': {
      const [low, high] = [1, 2].map((i) => (node.inputs[i] ? g.elements(node.inputs[i])?.[0] : undefined));
      const held = (v: number) => Math.min(Math.max(v, low ?? any.low), high ?? any.high);
      return rising(held);
    }
    case 'Softplus':
      return { low: 0, high: any.high };
    case 'Exp':
      return rising(Math.exp);
    case 'Sqrt':
      return rising((v) => Math.sqrt(Math.max(v, 0)));
    case 'Neg':
      return { low: -of(0).high, high: -of(0).low };
    case 'Add':
      return corners((a, b) => a + b);
    case 'Sub':
      return corners((a, b) => a - b);
    case 'Mul':
      return corners((a, b) => (a === 0 || b === 0 ? 0 : a * b));
    case 'Div':
      if (isShare(g, node)) return unit;
      return of(1).low > 0 ? corners((a, b) => a / b) : undefined;
    case 'Max':
      return { low: Math.max(...all().map((b) => b.low)), high: Math.max(...all().map((b) => b.high)) };
    case 'Min':
      return { low: Math.min(...all().map((b) => b.low)), high: Math.min(...all().map((b) => b.high)) };
    case 'Pow':
      return of(0).low >= 0 && of(1).low > 0 ? corners((a, b) => a ** b) : undefined;
    default:
      return undefined;
  }
}
