import { expect, it } from 'vitest';
import { newGraph } from '../operators/new-graph.ts';
import type { GraphBuilder, Value } from './builder.ts';
import { add, mul, relu } from './emit.ts';
import { float, type Graph } from './graph.ts';
import { listing } from './listing.ts';
import { merge } from './merge.ts';

function graph(make: (g: GraphBuilder, x: Value) => Value): Graph {
  const g = newGraph(17);
  const x = g.input('x', 'float32', [-1, 4]);
  return g.graph('part', [make(g, x)]);
}
const weights = (g: GraphBuilder, by: number) => g.floats([4], [1, 2, 3, by]);

it('computes once what graphs have in common, whatever its name', () => {
  const { graph: whole, outputs } = merge([
    graph((g, x) => relu(g, mul(g, x, weights(g, 4)))),
    graph((g, x) => g.within('other', () => add(g, relu(g, mul(g, x, weights(g, 4))), weights(g, 5)))),
  ]);
  expect(whole.nodes.map(({ op }) => op)).toEqual(['Mul', 'Relu', 'Add']);
  expect(whole.constants.size).toBe(2);
  expect(whole.outputs).toEqual(outputs.flatMap((named) => Object.values(named)));
  expect(listing(whole)).toContain('x');
});

it('gives a graph that is there twice twice', () => {
  const { graph: whole, outputs } = merge([graph(relu), graph(relu)]);
  expect(whole.nodes.length).toBe(1);
  expect(whole.outputs.length).toBe(1);
  expect(outputs[0]).not.toBe(outputs[1]);
  expect(Object.values(outputs[0]!)).toEqual(Object.values(outputs[1]!));
});

it('asks one node for the outputs that either graph needs', () => {
  const pool = (outputs: number) => (g: GraphBuilder) => {
    const image = g.emit('Reshape', ['x', g.ints([0, 1, 2, 2])]);
    const made = g.emitAll('MaxPool', [image], { kernel_shape: [2, 2] }, outputs);
    return outputs === 2 ? g.emit('Shape', [made[1]!]) : made[0]!;
  };
  const { graph: whole } = merge([graph(pool(1)), graph(pool(2))]);
  expect(whole.nodes.map(({ op, outputs }) => [op, outputs.length])).toEqual([
    ['Reshape', 1],
    ['MaxPool', 2],
    ['Shape', 1],
  ]);
});

it('keeps apart what differs in an attribute only, also where that is no number of JSON', () => {
  const leaky = (alpha: number) => (g: GraphBuilder, x: Value) =>
    g.emit('LeakyRelu', [x], { alpha: float(alpha) });
  const slopes = [0, -0, Infinity, -Infinity, Number.NaN];
  expect(merge(slopes.map((slope) => graph(leaky(slope)))).graph.nodes.length).toBe(slopes.length);
});
