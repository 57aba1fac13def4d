import { expect, it } from 'vitest';
import { newGraph } from '../operators/new-graph.ts';
import { Assembly } from './assembly.ts';

it('the batch of one graph is not taken for that of another', () => {
  const g = newGraph(17);
  const y = g.emit('Reshape', [g.input('x', 'float32', [-1, 3, 4]), g.ints([-1, 4])]);
  const graph = g.graph('part', [y]);
  const assembly = new Assembly(['images', 'one']);
  const ends = [
    assembly.place(graph, 'part', { x: 'images' })[y]!,
    assembly.place(graph, 'part', { x: 'one' })[y]!,
  ];
  const { nodes } = assembly.graph([], { a: ends[0]!, b: ends[1]! });
  expect(nodes.slice(0, 2).map(({ types }) => types![0]!.shape)).toEqual([
    ['3*part/batch', 4],
    ['3*part/batch_1', 4],
  ]);
});
