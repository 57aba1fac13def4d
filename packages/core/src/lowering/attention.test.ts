import { describe, expect, it } from 'vitest';
import { compileExplainer } from '../explainer.ts';
import { readClassifier } from '../model/classifier.ts';
import { readModel } from '../onnx/read.ts';
import { float32, int64 } from '../tensor.ts';
import { attributesOf, canonical, outputsOf } from '../testing/canonical.ts';
import { onnxFile, value } from '../testing/onnx-file.ts';
import { cpu } from '../testing/ort.ts';
import { canonicalize } from './canonicalize.ts';

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
  /** The third query may look nowhere. */
  const blind = {
    ...look,
    name: 'blind',
    int32Data: Array.from({ length: 16 }, (_, i) => Number(i >> 2 !== 2)),
  };
  const hiding = {
    ...bias,
    name: 'hiding',
    floatData: blind.int32Data.map((seen, i) => (seen ? Math.cos(i) : Number.NEGATIVE_INFINITY)),
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
    ['a mask that hides all from a query', ['image', 'image', 'image', 'blind'], {}],
    ['a bias that hides all from a query', ['image', 'image', 'image', 'hiding'], {}],
    ['a mask that hides what is not after', ['image', 'image', 'image', 'look'], { is_causal: 1 }],
    ['a mask that is computed', ['image', 'image', 'image', 'bright'], {}],
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
    const bright = { opType: 'Greater', name: 'b', input: ['image', 'level'], output: ['bright'] };
    const it = {
      opType: 'Attention',
      name: 'it',
      input: [...input],
      output: ['y'],
      attribute: attributesOf(attributes),
    };
    const level = { name: 'level', dims: [], dataType: 1, floatData: [1.5] };
    const initializer = [
      level,
      bias,
      look,
      blind,
      hiding,
      { name: 'shape', dims: [3n], dataType: 7, int64Data: [0n, 0n, -1n] },
    ];
    const output = [{ name: 'y', type: { tensorType: { elemType: 1 } } }];
    const parts = [taken('one', 'image', 1, 3), taken('two', 'image', 2, 2), taken('half', 'rows', 2, 2)];
    const used = [bright, ...parts].filter((part) => input.some((name) => part.output.includes(name)));
    const node = [fold, ...used, it];
    const file = onnxFile({ node, initializer, output }, { opsetImport: [{ version: 23n }] });
    const { graph, bytes } = canonical(file);
    expect(graph.nodes.some((n) => n.op === 'Attention')).toBe(false);
    const [expected, found] = [await outputsOf(file, [2, 3, 4, 4]), await outputsOf(bytes, [2, 3, 4, 4])];
    expect(found[0]!.shape).toEqual(expected[0]!.shape);
    found[0]!.data.forEach((v, i) => {
      expect(v).toBeCloseTo(Number(expected[0]!.data[i]), 5);
    });
  });

  it('is Softmax alone where a mask that is known leaves every query something to look at', () => {
    const it = { opType: 'Attention', name: 'it', input: ['image', 'image', 'image', 'look'], output: ['y'] };
    const output = [{ name: 'y', type: { tensorType: { elemType: 1 } } }];
    const file = onnxFile({ node: [it], initializer: [look], output }, { opsetImport: [{ version: 23n }] });
    expect(canonical(file).graph.nodes.map(({ op }) => op)).toEqual([
      'Mul',
      'Transpose',
      'MatMul',
      'Where',
      'Softmax',
      'MatMul',
    ]);
  });

  it('is left as it is where it looks through a window', () => {
    const it = {
      opType: 'Attention',
      name: 'it',
      input: ['image', 'image', 'image'],
      output: ['y'],
      attribute: attributesOf({ left_window_size: 1 }),
    };
    const output = [{ name: 'y', type: { tensorType: { elemType: 1 } } }];
    const file = onnxFile({ node: [it], output }, { opsetImport: [{ version: 25n }] });
    const { graph } = readModel(file);
    const { builder } = canonicalize(
      graph,
      (g) => new Map([['image', g.input('image', 'float32', [-1, 3, 4, 4])]]),
    );
    expect(builder.nodes.map(({ op }) => op)).toEqual(['Attention']);
  });

  it.each([
    ['a bias', { ...bias, dims: [3n, 3n], floatData: bias.floatData.slice(0, 9) }],
    ['a query that may look nowhere', { ...blind, dims: [3n, 3n], int32Data: [1, 0, 1, 0, 0, 0, 1, 1, 1] }],
    [
      'a query whose keys are all biased to nothing',
      { ...hiding, dims: [3n, 3n], floatData: [0, 0, 0, ...Array(3).fill(-Infinity), 1, 0, 0] },
    ],
  ])("under %s: has the gradient that differences of ONNX Runtime's own have", async (_, mask) => {
    const attributes = attributesOf({
      is_causal: 1,
      softcap: { f: 0.7 },
      q_num_heads: 4,
      kv_num_heads: 2,
    });
    const node = [
      { opType: 'Reshape', name: 'r', input: ['image', 'rows'], output: ['q'] },
      {
        opType: 'Split',
        name: 's',
        input: ['q', 'sizes'],
        output: ['k', 'rest'],
        attribute: attributesOf({ axis: 2 }),
      },
      {
        opType: 'Attention',
        name: 'a',
        input: ['q', 'k', 'k', mask.name],
        output: ['seen'],
        attribute: attributes,
      },
      { opType: 'Reshape', name: 'c', input: ['seen', 'classes'], output: ['y'] },
    ];
    const list = (name: string, ...values: number[]) => ({
      name,
      dims: [BigInt(values.length)],
      dataType: 7,
      int64Data: values.map(BigInt),
    });
    const initializer = [mask, list('rows', 0, 3, 16), list('sizes', 8, 8), list('classes', 0, 48)];
    const input = [value('image', 'batch', 3, 4, 4)];
    const output = [value('y', 'batch', 48)];
    const file = onnxFile({ node, initializer, input, output }, { opsetImport: [{ version: 23n }] });
    const saliency = compileExplainer(readClassifier(file), {
      method: 'saliency',
      parameters: { abs: false },
    });
    const [own, gradient] = [await cpu.load(file), await cpu.load(saliency)];
    const pixels = Array.from({ length: 48 }, (_, i) => Math.sin(i * 1.7) * 2);
    const image = (k = 0, by = 0) =>
      float32(
        [1, 3, 4, 4],
        pixels.map((v, i) => (i === k ? v + by : v)),
      );
    const last = 37;
    const { attribution } = await gradient.run({ image: image(), class_index: int64([1], [last]) });
    const score = async (k: number, by: number) =>
      Number((await own.run({ image: image(k, by) })).y!.data[last]);
    for (let k = 0; k < 48; k++) {
      const slope = ((await score(k, 1e-2)) - (await score(k, -1e-2))) / 2e-2;
      expect(Number(attribution!.data[k])).toBeCloseTo(slope, 3);
    }
    for (const session of [own, gradient]) await session.close();
  });
});
