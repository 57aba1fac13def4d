import { differentiate } from '../autodiff/differentiate.ts';
import { gradientRules } from '../autodiff/rules/index.ts';
import { GraphBuilder, type Shape, type Value } from '../onnx/builder.ts';
import type { Graph, Node } from '../onnx/graph.ts';
import { renamed } from '../onnx/rename.ts';
import { writeModel } from '../onnx/write.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { float32, type Tensor } from '../tensor.ts';
import { type Case, values } from './cases.ts';

// Derivative rules against central differences of the operator itself, both run by ONNX Runtime.

/** Rows that an open batch has when a case runs. */
const rows = 2;

/** The operator twice: as it is, and as the graph of its gradients. */
export interface Built {
  readonly forward: Uint8Array;
  /** Left out where every derivative is zero. */
  readonly gradient: Uint8Array | undefined;
  readonly emitted: readonly Node[];
  /** Differentiated inputs by name, with the gradients' outputs. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly seeds: Readonly<Record<string, Tensor>>;
  readonly zero: readonly string[];
}

export function built(c: Case): Built {
  const primal = applied(c);
  const forward = written(primal.g, Object.fromEntries(primal.used.map((y) => [y, y])));
  const { g, wanted, used, feeds } = applied(c);
  const before = new Set(g.nodes.map((node) => node.name));
  const seeds = Object.fromEntries(
    used.map((y, k) => [`seed_${k}`, values(c.dtype, concrete(g.shape(y)), 0.5, 1.5, 100 + k)]),
  );
  const pairs = used.map((y, k) => [y, g.input(`seed_${k}`, c.dtype, g.shape(y))] as const);
  const gradients = differentiate(g, new Map(pairs), wanted, gradientRules);
  const made = Object.fromEntries(wanted.flatMap((w, i) => (gradients[i] ? [[`d${w}`, gradients[i]]] : [])));
  return {
    forward,
    gradient: Object.keys(made).length > 0 ? written(g, made) : undefined,
    emitted: g.nodes.filter((node) => !before.has(node.name)),
    feeds,
    seeds,
    zero: wanted.filter((_, i) => gradients[i] === null),
  };
}

/** The gradients of a case's inputs under a cotangent of ones. */
export async function gradients(c: Case, runtime: Runtime): Promise<Record<string, number[]>> {
  const { gradient, feeds, seeds } = built(c);
  const session = await runtime.load(gradient!);
  const ones = Object.entries(seeds).map(([name, s]) => [
    name,
    { ...s, data: s.data.fill(1 as never) } as Tensor,
  ]);
  const found = await session.run({ ...feeds, ...Object.fromEntries(ones) });
  await session.close();
  return Object.fromEntries(Object.entries(found).map(([name, t]) => [name, [...(t.data as Float32Array)]]));
}

/** Largest difference between the rule and central differences over the largest gradient, per input. */
export async function gradientErrors(c: Case, runtime: Runtime): Promise<Record<string, number>> {
  const { forward, gradient, feeds, seeds, zero } = built(c);
  const [primal, adjoint] = [await runtime.load(forward), gradient && (await runtime.load(gradient))];
  const found = (await adjoint?.run({ ...feeds, ...seeds })) ?? {};
  const loss = async (given: Readonly<Record<string, Tensor>>): Promise<number> => {
    const ys = Object.values(await primal.run(given));
    return ys.reduce((sum, y, k) => sum + inner(y, seeds[`seed_${k}`]!), 0);
  };
  const errors: Record<string, number> = {};
  for (const [name, at] of Object.entries(feeds)) {
    const expected = await differences(at, c.dtype === 'float64' ? 1e-3 : 0.04, (moved) =>
      loss({ ...feeds, [name]: moved }),
    );
    const actual = zero.includes(name) ? expected.map(() => 0) : (found[`d${name}`]!.data as Float64Array);
    const largest = Math.max(...expected.map(Math.abs), 1e-3);
    errors[name] = Math.max(...expected.map((e, i) => Math.abs(e - actual[i]!))) / largest;
  }
  await primal.close();
  await adjoint?.close();
  return errors;
}

/** Five points: f'(x) ≈ (8(f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h, exact up to h⁴. */
async function differences(at: Tensor, h: number, f: (moved: Tensor) => Promise<number>): Promise<number[]> {
  const slopes: number[] = [];
  for (let i = 0; i < at.data.length; i++) {
    const shifted = (by: number): Promise<number> => {
      const data = (at.data as Float64Array).slice();
      data[i] = data[i]! + by;
      return f({ ...at, data } as Tensor);
    };
    const [a, b, d, e] = [await shifted(-2 * h), await shifted(-h), await shifted(h), await shifted(2 * h)];
    slopes.push((8 * (d - b) - (e - a)) / (12 * h));
  }
  return slopes;
}

function applied(c: Case) {
  const g = new GraphBuilder(c.opset);
  const feeds: Record<string, Tensor> = {};
  const wanted: Value[] = [];
  const inputs = c.inputs.map((operand, i) => {
    if (operand === '') return '';
    if ('constant' in operand) return g.constant(operand.constant);
    if ('fixed' in operand) return g.constant(values(c.dtype, operand.shape, operand.low, operand.high, i));
    const { shape } = operand;
    const name = g.input(`x${i}`, c.dtype, shape);
    feeds[name] =
      'at' in operand
        ? float32(shape, operand.at)
        : values(c.dtype, concrete(shape), operand.low, operand.high, i);
    wanted.push(name);
    return name;
  });
  const ys = g.emitAll(c.op, inputs, c.attributes, c.outputs);
  return { g, feeds, wanted, used: (c.used ?? ys.map((_, k) => k)).map((k) => ys[k]!) };
}

function written(g: GraphBuilder, outputs: Readonly<Record<string, Value>>): Uint8Array {
  const graph: Graph = renamed(g.graph('case', Object.values(outputs)), outputs);
  const types = Object.entries(outputs).map(([name, value]) => ({
    name,
    dtype: g.dtype(value),
    shape: symbolic(g.shape(value)),
  }));
  return writeModel(graph, types);
}

const symbolic = (shape: Shape): (number | string)[] =>
  shape.map((d) => (d > 0 ? d : d === -1 ? 'batch' : `${-d}*batch`));
const concrete = (shape: Shape): number[] => shape.map((d) => (d < 0 ? -d * rows : d));

const inner = (a: Tensor, b: Tensor): number =>
  (a.data as Float64Array).reduce((sum, v, i) => sum + Number(v) * Number(b.data[i]), 0);
