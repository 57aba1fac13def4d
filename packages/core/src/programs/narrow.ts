import type { Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { slice } from '../onnx/emit.ts';
import { int, type Node, reachable } from '../onnx/graph.ts';
import { again, rowsOf } from '../operators/row-by-row.ts';
import { axisOf } from '../operators/shape/rule.ts';

// A transformer that classifies by its class token does not use the other tokens after its last attention.

/** Rows from `start` to `end` along an axis. */
interface Rows {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Moves the selection of rows before the operators that make them: if only some rows of a value are used, operators
 * that work row by row compute only those. The scores stay the same; so do their derivatives in `kept` and in
 * everything that `kept` is computed from. The builder's nodes are replaced.
 */
export function narrow({ g, logits }: Network, kept: readonly Value[]): void {
  const nodes = reachable(g.nodes, [logits, ...kept]);
  const demands = demanded(g, nodes, [logits, ...kept]);
  if (demands.size === 0) return;
  g.nodes.length = 0;
  const narrowed = new Map<Value, Value>();
  const cuts = new Map<string, Value>();
  const rows = (value: Value, { axis, start, end }: Rows): Value => {
    const own = narrowed.has(value) ? demands.get(value)! : undefined;
    if (own?.start === start && own.end === end) return narrowed.get(value)!;
    const offset = own?.start ?? 0;
    const key = [value, axis, start, end].join();
    const cut = cuts.get(key) ?? slice(g, narrowed.get(value) ?? value, axis, start - offset, end - offset);
    cuts.set(key, cut);
    return cut;
  };
  for (const node of nodes) {
    const output = node.outputs[0]!;
    const wanted = demands.get(output);
    const axes = wanted && rowsOf(g, node, wanted.axis);
    if (axes) {
      const inputs = node.inputs.map((input, i) => {
        const axis = axes[i] ?? null;
        return axis === null ? input : rows(input, { ...wanted, axis });
      });
      narrowed.set(output, again(g, node, inputs, wanted.axis, wanted.end - wanted.start));
    } else if (narrowed.has(node.inputs[0] ?? '')) g.add(moved(g, node, narrowed, demands));
    else g.nodes.push(node);
  }
}

/** Finds the needed rows of each value of which not all rows are needed. */
function demanded(g: GraphBuilder, nodes: readonly Node[], whole: readonly Value[]): Map<Value, Rows> {
  const demands = new Map<Value, Demand>(whole.map((value) => [value, 'all']));
  for (const node of nodes.toReversed()) {
    const [output] = node.outputs as [Value];
    const wanted = node.outputs.length === 1 ? demands.get(output) : 'all';
    const axes = typeof wanted === 'object' ? rowsOf(g, node, wanted.axis) : undefined;
    if (typeof demands.get(output) === 'object' && !axes) demands.delete(output);
    const taken = taking(g, node);
    node.inputs.forEach((input, i) => {
      if (input === '' || !g.maker(input)) return;
      const axis = axes?.[i] ?? null;
      const asked = axis !== null ? { ...(wanted as Rows), axis } : i === 0 ? taken : undefined;
      demands.set(input, together(g, input, demands.get(input), asked ?? 'all'));
    });
  }
  return new Map([...demands].filter((entry): entry is [Value, Rows] => entry[1] !== 'all'));
}

type Demand = Rows | 'all';

/** Unites two demands: gives all rows, unless those asked for are at most half. */
function together(g: GraphBuilder, value: Value, known: Demand | undefined, asked: Demand): Demand {
  if (known === 'all' || asked === 'all' || (known && known.axis !== asked.axis)) return 'all';
  const start = Math.min(known?.start ?? asked.start, asked.start);
  const end = Math.max(known?.end ?? asked.end, asked.end);
  return (end - start) * 2 > g.shape(value)[asked.axis]! ? 'all' : { axis: asked.axis, start, end };
}

/** Gives the rows that a Gather or a Slice of one axis takes. */
function taking(g: GraphBuilder, node: Node): Rows | undefined {
  if ((node.op !== 'Gather' && node.op !== 'Slice') || !g.knows(node.inputs[0]!)) return undefined;
  const shape = g.shape(node.inputs[0]!);
  const known = (i: number) => g.elements(node.inputs[i] ?? '');
  const one = (i: number) => (known(i)?.length === 1 ? known(i)![0]! : Number.NaN);
  const along = node.op === 'Gather' ? int(node, 'axis', 0) : one(3);
  if (Number.isNaN(along) || (node.op === 'Slice' && node.inputs[4] && one(4) !== 1)) return undefined;
  const axis = axisOf(along, shape.length);
  const size = shape[axis]!;
  const place = (i: number) => (i < 0 ? i + size : Math.min(i, size));
  const start = place(one(1));
  const end = node.op === 'Gather' ? start + 1 : place(one(2));
  return size > 0 && start >= 0 && end > start ? { axis, start, end } : undefined;
}

/** Adapts a Gather or a Slice to the narrowed input, in which its rows have other indices. */
function moved(
  g: GraphBuilder,
  node: Node,
  narrowed: ReadonlyMap<Value, Value>,
  demands: ReadonlyMap<Value, Rows>,
): Node {
  const { axis, start, end } = taking(g, node)!;
  const from = narrowed.get(node.inputs[0]!)!;
  const offset = demands.get(node.inputs[0]!)!.start;
  const places =
    node.op === 'Gather'
      ? [
          g.constant({
            dtype: 'int64',
            shape: g.shape(node.inputs[1]!),
            data: BigInt64Array.of(BigInt(start - offset)),
          }),
        ]
      : [g.ints([start - offset]), g.ints([end - offset]), g.ints([axis])];
  return { ...node, inputs: [from, ...places] };
}
