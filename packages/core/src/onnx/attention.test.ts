import { describe, expect, it } from 'vitest';
import { attributesOf, canonical, outputsOf } from '../testing/canonical.ts';
import { onnxFile } from '../testing/onnx-file.ts';

describe('Attention is written out', () => {
  const bias = {
    name: 'bias',
    dims: [4n, 4n],
    dataType: 1,
    floatData: Array.from({ length: 16 }, (_, i) => Math.cos(i)),
  };
  const look = {
    name: 'look',
    dims: [4n, 4n],
    dataType: 9,
    int32Data: Array.from({ length: 16 }, (_, i) => Number(i % 3 > 0)),
  };
  it.each([
    ['heads as an axis', ['image', 'image', 'image'], {}, 4],
    ['a scale', ['image', 'image', 'image'], { scale: { f: 0.25 } }, 4],
    ['a bias', ['image', 'image', 'image', 'bias'], {}, 4],
    ['a mask', ['image', 'image', 'image', 'look'], {}, 4],
    ['heads folded into the last axis', ['rows', 'rows', 'rows'], { q_num_heads: 2, kv_num_heads: 2 }, 3],
  ] as const)('%s', async (_, input, attributes, rank) => {
    const fold = { opType: 'Reshape', name: 'r', input: ['image', 'shape'], output: ['rows'] };
    const it = {
      opType: 'Attention',
      name: 'it',
      input: [...input],
      output: ['y'],
      attribute: attributesOf(attributes),
    };
    const initializer = [bias, look, { name: 'shape', dims: [3n], dataType: 7, int64Data: [0n, 0n, -1n] }];
    const output = [{ name: 'y', type: { tensorType: { elemType: 1 } } }];
    const node = rank === 3 ? [fold, it] : [it];
    const file = onnxFile({ node, initializer, output }, { opsetImport: [{ version: 23n }] });
    const { graph, bytes } = canonical(file);
    expect(graph.nodes.some((n) => n.op === 'Attention')).toBe(false);
    const [expected, found] = [await outputsOf(file, [2, 3, 4, 4]), await outputsOf(bytes, [2, 3, 4, 4])];
    expect(found[0]!.shape).toEqual(expected[0]!.shape);
    found[0]!.data.forEach((v, i) => {
      expect(v).toBeCloseTo(Number(expected[0]!.data[i]), 5);
    });
  });
});
