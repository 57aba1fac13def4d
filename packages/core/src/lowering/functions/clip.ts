import { besideZero } from './branches.ts';
import { madeBy, scalar } from './expression.ts';
import type { Recogniser } from './recogniser.ts';

/** Recognises ReLU as max(x, 0). */
export const relu: Recogniser = (g, node) => {
  const x = besideZero(g, node);
  return x === undefined ? undefined : { op: 'Relu', inputs: [x] };
};

/** Recognises a clip as a minimum of a maximum, or the reverse: ReLU6 as min(relu(x), 6). */
export const clip: Recogniser = (g, node) => {
  const outer = bounded(g, node.inputs);
  const inner = madeBy(g, outer?.x, node.op === 'Min' ? 'Max' : 'Min', 'Relu');
  if (!outer || !inner || (node.op === 'Max' && inner.op === 'Relu')) return undefined;
  const within = inner.op === 'Relu' ? { x: inner.inputs[0]!, bound: 0 } : bounded(g, inner.inputs);
  if (!within) return undefined;
  const [low, high] = node.op === 'Min' ? [within.bound, outer.bound] : [outer.bound, within.bound];
  return low < high ? { op: 'Clip', inputs: [within.x, g.scalar(low), g.scalar(high)] } : undefined;
};

type Graph = Parameters<Recogniser>[0];

/** Finds a value and the number with which it is compared. */
function bounded(g: Graph, inputs: readonly string[]): { x: string; bound: number } | undefined {
  if (inputs.length !== 2) return undefined;
  const [a, b] = inputs as [string, string];
  const [left, right] = [scalar(g, a), scalar(g, b)];
  if (right !== undefined) return { x: a, bound: right };
  return left === undefined ? undefined : { x: b, bound: left };
}
