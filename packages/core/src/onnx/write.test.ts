import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { newGraph } from '../operators/new-graph.ts';
import { float32 } from '../tensor.ts';
import { cpu } from '../testing/ort.ts';
import { ModelSchema } from './generated/onnx_pb.js';
import { readModel } from './read.ts';
import { writeApart, writeModel } from './write.ts';

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

  it('with its large weights beside it runs as it does with them inside', async () => {
    const g = newGraph(17);
    const x = g.input('x', 'float32', [-1, 1024]);
    const wave = (from: number) => Float32Array.from({ length: 2 ** 20 }, (_, i) => Math.sin(from + i) / 32);
    const weights = [g.constant(float32([1024, 1024], wave(0))), g.constant(float32([1024, 1024], wave(1)))];
    const small = g.constant(float32([1024], wave(2).slice(0, 1024)));
    const turned = g.emit('Transpose', [weights[1]!], { perm: [1, 0] });
    const y = g.emit('MatMul', [g.emit('Add', [g.emit('MatMul', [x, weights[0]!]), small]), turned]);
    const graph = g.graph('large', [y]);
    const types = [{ name: y, ...g.type(y)! }];
    const apart = writeApart(graph, types);
    expect(apart.bytes.length).toBeLessThan(10_000);
    expect(Array.from(apart.weights.values(), ({ buffer }) => buffer)).toEqual(
      weights.map((name) => graph.constants.get(name)!.data.buffer),
    );
    const image = float32([2, 1024], wave(3).slice(0, 2048));
    const ran = async (model: Parameters<typeof cpu.load>[0]) => {
      const session = await cpu.load(model);
      const outputs = await session.run({ x: image });
      await session.close();
      return outputs[y]!.data;
    };
    expect(await ran(apart)).toEqual(await ran(writeModel(graph, types)));
  });

  it('is refused when its weights are more than one file can have', () => {
    const g = newGraph(17);
    const weight = g.constant({ dtype: 'float32', shape: [2 ** 29], data: new Float32Array(1) }, 'w');
    const y = g.emit('Add', [g.input('x', 'float32', [-1, 1]), weight]);
    expect(() => writeModel(g.graph('large', [y]), [{ name: y, dtype: 'float32', shape: [1] }])).toThrow(
      expect.objectContaining({
        code: 'model_too_large',
        message: expect.stringMatching(/^one ONNX file has at most 2147483647 bytes.*2147483648 of weights/),
      }),
    );
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

  it('has no two nodes of one name, whatever the file calls its own, in its bodies too', async () => {
    const g = newGraph(17);
    const x = g.input('x', 'float32', [2, 3]);
    const node = (op: 'Relu' | 'Neg', input: string, output: string) =>
      ({ op, name: 'Relu_0', inputs: [input], outputs: [output], attributes: {} }) as const;
    const [rows, turned] = ['rows', 'turned'].map(
      (name) => ({ name, dtype: 'float32', shape: [3] }) as const,
    );
    const body = {
      name: 'body',
      inputs: [rows!],
      outputs: [turned!],
      nodes: [node('Relu', 'rows', 'inside'), node('Neg', 'inside', 'turned')],
    };
    g.add(node('Neg', x, 'first'));
    g.add(node('Relu', 'first', 'second'));
    g.add({ ...node('Relu', 'second', 'third'), name: 'Relu_0_1' });
    const attributes = { body: { body }, num_scan_inputs: 1 };
    g.add({ op: 'Scan', name: 'Relu_0', inputs: ['third'], outputs: ['y'], attributes });
    const bytes = writeModel(g.graph('names', ['y']), [{ name: 'y', dtype: 'float32', shape: [2, 3] }]);
    const session = await cpu.load(bytes);
    const { y } = await session.run({ x: float32([2, 3], [-1, 2, -3, 4, 5, -6]) });
    await session.close();
    expect([...y!.data].map(Number)).toEqual([-1, -0, -3, -0, -0, -6]);
    // Names that are apart stay what they are: users find their nodes by them.
    expect(readNames(bytes)).toEqual(['Relu_0', 'Relu_0_2', 'Relu_0_1', 'Relu_0_3']);
  });
});

const readNames = (bytes: Uint8Array) => fromBinary(ModelSchema, bytes).graph!.node.map(({ name }) => name);
