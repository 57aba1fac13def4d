import type { Value } from '../onnx/builder.ts';
import { reshape } from '../onnx/emit.ts';
import { int } from '../onnx/graph.ts';
import { int64, sizeOf } from '../tensor.ts';
import { keep, type Upgrade } from './upgraded.ts';
import { takesBatch } from './whole-batch.ts';

/** Gathers that a simpler operator can replace. */
export const gathers: Readonly<Record<string, Upgrade>> = {
  /** Makes a Reshape of the Gather of every element in order, as PyTorch's exporter writes some views. */
  Gather(g, node) {
    const [x, index] = node.inputs as [Value, Value];
    if (takesBatch(g, node)) return { alias: x };
    if (!g.counts(index) || int(node, 'axis', 0) !== 0 || !g.knows(x)) return keep(node);
    const shape = g.shape(index);
    if (g.shape(x).length !== 1 || sizeOf(shape) !== g.shape(x)[0] || shape.filter((d) => d < 0).length > 1)
      return keep(node);
    const target = g.ints(shape.map((d) => Math.max(d, -1)));
    return keep({ ...node, op: 'Reshape', inputs: [x, target], attributes: {} });
  },
  /** Makes a GatherND with known indices a Gather along the indexed axes, merged into one. */
  GatherND(g, node) {
    const [x, index] = node.inputs as [Value, Value];
    const tuples = g.elements(index);
    if (!tuples || int(node, 'batch_dims', 0) !== 0) return keep(node);
    const [shape, indices] = [g.shape(x), g.shape(index)];
    const depth = indices.at(-1)!;
    const indexed = shape.slice(0, depth);
    if (indexed.some((d) => d < 0)) return keep(node);
    const flat = Array.from({ length: tuples.length / depth }, (_, k) =>
      indexed.reduce((offset, size, axis) => {
        const i = tuples[k * depth + axis]!;
        return offset * size + (i < 0 ? i + size : i);
      }, 0),
    );
    const positions = g.constant(int64(indices.slice(0, -1), flat));
    const rows = reshape(g, x, [sizeOf(indexed), ...shape.slice(depth)]);
    return keep({ ...node, op: 'Gather', inputs: [rows, positions], attributes: { axis: 0 } });
  },
};
