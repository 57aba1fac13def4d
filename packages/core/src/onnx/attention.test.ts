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
    ['heads as an axis', ['image', 'image', 'image'], {}],
    ['a scale', ['image', 'image', 'image'], { scale: { f: 0.25 } }],
    ['a bias', ['image', 'image', 'image', 'bias'], {}],
    ['a mask', ['image', 'image', 'image', 'look'], {}],
    ['a soft cap', ['image', 'image', 'image'], { softcap: { f: 0.7 } }],
    ['a soft cap under a bias', ['image', 'image', 'image', 'bias'], { softcap: { f: 0.7 } }],
    ['what comes after hidden', ['image', 'image', 'image'], { is_causal: 1 }],
    ['what comes after hidden, of more keys than queries', ['two', 'image', 'image'], { is_causal: 1 }],
    ['what comes after hidden, and a bias', ['image', 'image', 'image', 'bias'], { is_causal: 1 }],
    ['keys and values that all heads share', ['image', 'one', 'one'], {}],
    ['heads folded into the last axis', ['rows', 'rows', 'rows'], { q_num_heads: 2, kv_num_heads: 2 }],
    ['two folded heads for one key', ['rows', 'half', 'half'], { q_num_heads: 4, kv_num_heads: 2 }],
  ] as const)('%s', async (_, input, attributes) => {
    const fold = { opType: 'Reshape', name: 'r', input: ['image', 'shape'], output: ['rows'] };
    const taken = (output: string, from: string, axis: number, count: number) => ({
      opType: 'Split',
      name: output,
      input: [from],
      output: [output, ...Array.from({ length: count - 1 }, (_, i) => `${output} left ${i}`)],
      attribute: attributesOf({ axis, num_outputs: count }),
    });
    const it = {
      opType: 'Attention',
      name: 'it',
      input: [...input],
      output: ['y'],
      attribute: attributesOf(attributes),
    };
    const initializer = [bias, look, { name: 'shape', dims: [3n], dataType: 7, int64Data: [0n, 0n, -1n] }];
    const output = [{ name: 'y', type: { tensorType: { elemType: 1 } } }];
    const parts = [taken('one', 'image', 1, 3), taken('two', 'image', 2, 2), taken('half', 'rows', 2, 2)];
    const node = [fold, ...parts.filter((part) => input.some((name) => part.output.includes(name))), it];
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
