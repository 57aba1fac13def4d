import { differentiate } from '../autodiff/differentiate.ts';
import { gradientRules } from '../autodiff/gradient.ts';
import type { GraphBuilder, Shape, Value } from '../onnx/builder.ts';
import type { Graph } from '../onnx/graph.ts';
import { renamed } from '../onnx/rename.ts';
import { writeModel } from '../onnx/write.ts';
import { newGraph } from '../operators/new-graph.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { float32, type Tensor } from '../tensor.ts';
import { type Case, values } from './cases.ts';

// Compares derivative rules with central differences of the operator itself, both run by ONNX Runtime.

/** Number of rows of an open batch when a case runs. */
const rows = 2;

/** Two graphs: the operator as it is, and its gradients. */
export interface Built {
  readonly forward: Uint8Array;
  /** Left out if every derivative is zero. */
  readonly gradient: Uint8Array | undefined;
  /** Differentiated inputs by name, with the gradients' outputs. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly seeds: Readonly<Record<string, Tensor>>;
  /** Shapes of the used outputs by the shape rule. */
  readonly shapes: readonly (readonly number[])[];
}

export function built(c: Case): Built {
  const primal = applied(c);
  const forward = written(primal.g, Object.fromEntries(primal.used.map((y) => [y, y])));
  const { g, wanted, used, feeds } = applied(c);
  const seeds = Object.fromEntries(
    used.map((y, k) => [`seed_${k}`, values(c.dtype, concrete(g.shape(y)), 0.5, 1.5, 100 + k)]),
  );
  const pairs = used.map((y, k) => [y, g.input(`seed_${k}`, c.dtype, g.shape(y))] as const);
  const gradients = differentiate(g, new Map(pairs), wanted, gradientRules);
  const made = Object.fromEntries(wanted.flatMap((w, i) => (gradients[i] ? [[`d${w}`, gradients[i]]] : [])));
  return {
    forward,
    gradient: Object.keys(made).length > 0 ? written(g, made) : undefined,
    feeds,
    seeds,
    shapes: used.map((y) => concrete(g.shape(y))),
  };
}

/** Computes the gradients of a case's inputs for a cotangent of ones or of many values; empty if every one is zero. */
export async function gradients(
  c: Case,
  runtime: Runtime,
  cotangent: 'ones' | 'varied' = 'ones',
): Promise<Record<string, number[]>> {
  const { gradient, feeds, seeds } = built(c);
  if (!gradient) return {};
  const session = await runtime.load(gradient);
  if (cotangent === 'ones') for (const seed of Object.values(seeds)) (seed.data as Float32Array).fill(1);
  const found = await session.run({ ...feeds, ...seeds });
  await session.close();
  return Object.fromEntries(Object.entries(found).map(([name, t]) => [name, [...(t.data as Float32Array)]]));
}

/** Computes the largest difference between the rule and central differences over the largest gradient, per input. */
export async function gradientErrors(c: Case, runtime: Runtime): Promise<Record<string, number>> {
  const pair = await loaded(c, runtime);
  const errors: Record<string, number> = {};
  for (const [name, at] of Object.entries(pair.feeds)) {
    const h = c.dtype === 'float64' ? 1e-3 : 0.04;
    const expected = await differences(at, h, (moved) => pair.loss({ ...pair.feeds, [name]: moved }));
    const actual = pair.found[`d${name}`]?.data ?? expected.map(() => 0);
    const largest = Math.max(...expected.map(Math.abs), 1e-3);
    errors[name] = Math.max(...expected.map((e, i) => Math.abs(e - Number(actual[i])))) / largest;
  }
  await pair.close();
  return errors;
}

/**
 * Computes the error along one direction v through all inputs at once: ⟨∇, v⟩ against (f(x+hv) - f(x-hv)) / 2h, over
 * the larger of ‖∇‖·‖v‖ and 1. Exact for operators that are linear.
 */
export async function directionalError(c: Case, runtime: Runtime): Promise<number> {
  const { feeds, found, loss, close } = await loaded(c, runtime);
  const names = Object.keys(feeds);
  const directions = names.map((name, k) => values(c.dtype, feeds[name]!.shape, -1, 1, 50 + k));
  const moved = (by: number) =>
    Object.fromEntries(names.map((name, k) => [name, shifted(feeds[name]!, directions[k]!, by)]));
  const h = c.dtype === 'float64' ? 1e-4 : 0.25;
  const expected = ((await loss(moved(h))) - (await loss(moved(-h)))) / (2 * h);
  await close();
  const gradients = names.map((name) => found[`d${name}`]!);
  const actual = gradients.reduce((sum, gradient, k) => sum + inner(gradient, directions[k]!), 0);
  const norms = gradients.map((d, k) => Math.sqrt(inner(d, d) * inner(directions[k]!, directions[k]!)));
  return Math.abs(actual - expected) / Math.max(1, ...norms);
}

/** Loads a case: computes its gradients at the inputs, and offers its loss as a function of the inputs. */
async function loaded(c: Case, runtime: Runtime) {
  const { forward, gradient, feeds, seeds, shapes } = built(c);
  const primal = await runtime.load(forward);
  const adjoint = gradient && (await runtime.load(gradient));
  return {
    feeds,
    found: (await adjoint?.run({ ...feeds, ...seeds })) ?? {},
    async loss(given: Readonly<Record<string, Tensor>>): Promise<number> {
      const ys = Object.values(await primal.run(given));
      ys.forEach((y, k) => {
        if (y.shape.join() !== shapes[k]!.join())
          throw new Error(`output ${k} has shape [${y.shape}], the shape rule says [${shapes[k]}]`);
      });
      return ys.reduce((sum, y, k) => sum + inner(y, seeds[`seed_${k}`]!), 0);
    },
    async close() {
      await primal.close();
      await adjoint?.close();
    },
  };
}

const shifted = (t: Tensor, direction: Tensor, by: number): Tensor =>
  ({ ...t, data: (t.data as Float64Array).map((v, i) => v + by * Number(direction.data[i])) }) as Tensor;

/** Computes f'(x) ≈ (8(f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h from five points, exact up to h⁴. */
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
  const g = newGraph(c.opset);
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
  for (const value of Object.values(outputs)) g.shape(value); // says which operator has no shape rule
  const types = Object.entries(outputs).map(([name, value]) => ({ name, ...g.type(value)! }));
  return writeModel(graph, types);
}

const concrete = (shape: Shape): number[] => shape.map((d) => (d < 0 ? -d * rows : d));

const inner = (a: Tensor, b: Tensor): number =>
  (a.data as Float64Array).reduce((sum, v, i) => sum + Number(v) * Number(b.data[i]), 0);
