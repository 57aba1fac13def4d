import type { Graph, ValueInfo } from '../onnx/graph.ts';
import { getOwn } from '../own.ts';
import { Assembly, type Compiled } from './assembly.ts';

/** A graph that takes batches of one size only, for any: a loop over groups of so many, the last filled with zeros. */
export function grouped(graph: Graph, types: readonly ValueInfo[], batch: number): Compiled {
  const names = graph.inputs.map(({ name }) => name);
  const assembly = new Assembly([...names, 'attribution', 'logits', 'target']);
  const count = assembly.emit('Shape', ['image'], { start: 0, end: 1 }, 'count');
  const missing = assembly.emit('Mod', [assembly.emit('Neg', [count]), assembly.ints(batch)], {}, 'missing');
  const group = ({ name, shape }: ValueInfo) => {
    const zeros = shape.map(() => 0);
    const pads = [
      assembly.ints(...zeros),
      missing,
      ...(shape.length > 1 ? [assembly.ints(...zeros.slice(1))] : []),
    ];
    const filled = assembly.emit('Pad', [name, assembly.emit('Concat', pads, { axis: 0 })]);
    return assembly.emit('Reshape', [filled, assembly.ints(-1, batch, ...(shape.slice(1) as number[]))]);
  };
  const inputs = graph.inputs.map((input) => ofSize('batch', input));
  const done = assembly.scan({
    name: 'groups',
    over: graph.inputs.map((input) => ({ ...ofSize(batch, input), of: group(input) })),
    body(_, rows) {
      const given = Object.fromEntries(names.map((name, i) => [name, rows[i]!]));
      const made = assembly.place(graph, 'explain', given);
      return { outputs: types.map((type) => ({ ...type, name: getOwn(made, type.name)! })) };
    },
  });
  const outputs = types.map(({ name, shape }, i) => {
    const rows = assembly.emit('Reshape', [done[i]!, assembly.ints(-1, ...(shape.slice(1) as number[]))]);
    return [name, assembly.emit('Slice', [rows, assembly.ints(0), count, assembly.ints(0)])] as const;
  });
  return {
    graph: assembly.graph(inputs, Object.fromEntries(outputs)),
    outputs: types.map((type) => ofSize('batch', type)),
  };
}

const ofSize = (batch: number | 'batch', type: ValueInfo): ValueInfo => ({
  ...type,
  shape: [batch, ...type.shape.slice(1)],
});
