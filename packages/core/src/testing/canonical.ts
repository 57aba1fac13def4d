import { canonicalize } from '../lowering/canonicalize.ts';
import { spellOut } from '../lowering/functions/spell-out.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { float32, sizeOf, type Tensor } from '../tensor.ts';
import type { AttributeInit } from './onnx-file.ts';
import { cpu } from './ort.ts';

/** A node's attributes: integers as numbers and lists, floats as `f` and `floats`. */
export type Attributes = Readonly<
  Record<string, number | readonly (number | bigint)[] | string | { f: number } | { floats: number[] }>
>;

export const attributesOf = (attributes: Attributes): AttributeInit[] =>
  Object.entries(attributes).map(([name, v]): AttributeInit => {
    if (typeof v === 'number') return { name, type: 2, i: BigInt(v) };
    if (typeof v === 'string') return { name, type: 3, s: new TextEncoder().encode(v) };
    if ('f' in v) return { name, type: 1, f: v.f };
    return 'floats' in v ? { name, type: 6, floats: v.floats } : { name, type: 7, ints: v.map(BigInt) };
  });

/** Canonicalizes a file's graph, and writes it as a file again; for inputs of `batch` images, or of any number. */
export function canonical(bytes: Uint8Array, batch?: number) {
  const { graph } = readModel(bytes);
  const { builder: g, resolve } = canonicalize(
    graph,
    (b) =>
      new Map(
        graph.inputs.map(({ name, shape }) => [
          name,
          b.input(name, 'float32', [-1, ...(shape.slice(1) as number[])]),
        ]),
      ),
    batch,
  );
  const outputs = graph.outputs.map(resolve).map(spellOut(g));
  const types = outputs.map((name) => ({
    name,
    dtype: 'float32' as const,
    shape: g.shape(name).map((d) => (d < 0 ? 'batch' : d)),
  }));
  const made = g.graph('canonical', outputs);
  return { graph: made, shapes: types.map((type) => type.shape), bytes: writeModel(made, types) };
}

/** Computes a file's outputs for fixed numbers in `shape`. */
export async function outputsOf(bytes: Uint8Array, shape: readonly number[]): Promise<Tensor[]> {
  const session = await cpu.load(bytes);
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 1.7) * 2);
  const results = await session.run({ image: float32(shape, data) });
  await session.close();
  return Object.values(results);
}
