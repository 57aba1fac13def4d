import { describe, expect, it } from 'vitest';
import { newGraph } from '../operators/new-graph.ts';
import { readModel } from './read.ts';
import { writeModel } from './write.ts';

describe('a written graph', () => {
  it('states the types of what lies inside, with the batch that a reader would lose at a Reshape', () => {
    const g = newGraph(17);
    const x = g.input('x', 'float32', [-1, 3, 4]);
    const merged = g.emit('Reshape', [x, g.ints([-1, 4])]);
    const split = g.emit('Reshape', [merged, g.ints([-1, 3, 4])]);
    const [most, where] = g.emitAll('TopK', [split, g.ints([1])], { axis: -1 }, 2);
    const y = g.emit('Relu', [most!]);
    const { declared } = readModel(writeModel(g.graph('types', [y]), [{ name: y, ...g.type(y)! }])).graph;
    expect([...declared!.values()].map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      [merged, 'float32', ['3*batch', 4]],
      [split, 'float32', ['batch', 3, 4]],
      [most, 'float32', ['batch', 3, 1]],
      [where, 'int64', ['batch', 3, 1]],
      [y, 'float32', ['batch', 3, 1]],
    ]);
  });

  it('says nothing of what nobody knows', () => {
    const g = newGraph(17);
    const found = g.emit('NonZero', [g.input('x', 'float32', [-1, 3])]);
    const y = g.emit('Shape', [found]);
    const { declared } = readModel(
      writeModel(g.graph('types', [y]), [{ name: y, dtype: 'int64', shape: [2] }]),
    ).graph;
    expect([...declared!.keys()]).toEqual([y]);
  });
});
