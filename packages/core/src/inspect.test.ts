import { describe, expect, it } from 'vitest';
import { inspect } from './inspect.ts';
import { float32, int64 } from './tensor.ts';
import { networkOf, tinyNetwork } from './testing/network.ts';
import { onnxFile, value } from './testing/onnx-file.ts';

const fullyConnected = (classes: number) =>
  float32(
    [classes, 3],
    Float32Array.from({ length: 3 * classes }, (_, i) => Math.sin(i + 1)),
  );

/** Conv `c`, an operator of the test's choice at the image, then pooling and a linear layer. */
const withOdd = (at: 'image' | 'map', name = 'odd') =>
  networkOf([2, 6, 6], (layer, image, g) => {
    const hardmax = (x: string) => layer(name, 'Hardmax', [x], { axis: 1 });
    const before = at === 'image' ? hardmax(image) : image;
    const c = layer('c', 'Conv', [before, g.constant(float32([3, 2, 1, 1], [1, 2, 3, 4, 5, 6]), 'w')]);
    const after = at === 'map' ? layer('sum', 'Add', [hardmax(c), c]) : c;
    const pooled = layer('pooled', 'ReduceMean', [after, g.constant(int64([2], [2, 3]))], { keepdims: 0 });
    return layer('logits', 'Gemm', [pooled, g.constant(fullyConnected(5), 'fc')], { transB: 1 });
  });

const works = (bytes: Uint8Array, id: string) => inspect(bytes).methods.find((m) => m.id === id);

describe('inspect', () => {
  it('tells what a model takes, gives, and where one can look', () => {
    const report = inspect(tinyNetwork());
    expect(report).toMatchObject({
      opset: 17,
      producer: 'whylight',
      nodes: 7,
      inputs: [{ name: 'image', dtype: 'float32', shape: ['batch', 2, 6, 6] }],
      outputs: ['logits'],
      input_shape: [2, 6, 6],
      layout: 'NCHW',
      classes: 3,
      unsupported: [],
    });
    expect(report.layers).toEqual([
      { name: 'r2', shape: [4, 3, 3] },
      { name: 'c2', shape: [4, 3, 3] },
      { name: 'r1', shape: [3, 6, 6] },
      { name: 'c1', shape: [3, 6, 6] },
    ]);
    expect(report.methods.filter((m) => !m.works).map((m) => m.id)).toEqual([
      'le-grad',
      'attention-rollout',
      'gradient-rollout',
      'chefer',
    ]);
  });

  it('E6: names every operator without a rule, and the methods that work all the same', () => {
    const bytes = withOdd('image');
    expect(inspect(bytes).unsupported).toEqual([{ op: 'Hardmax', nodes: ['odd'] }]);
    expect(works(bytes, 'saliency')).toEqual({
      id: 'saliency',
      works: false,
      reason: 'no derivative rule for Hardmax: node "odd"',
      axioms: [],
    });
    expect(works(bytes, 'grad-cam')).toMatchObject({ works: true });
    expect(works(bytes, 'occlusion')).toMatchObject({ works: true });
  });

  describe('an operator of which not even the shape is known', () => {
    const node = [
      { opType: 'Det', name: 'det', input: ['image'], output: ['volumes'] },
      { opType: 'Det', name: 'other', input: ['image'], output: ['more'] },
      { opType: 'STFT', name: 'stft', input: ['more'], output: ['waves'] },
      { opType: 'Add', name: 'sum', input: ['volumes', 'waves'], output: ['y'] },
    ];
    const file = (...valueInfo: ReturnType<typeof value>[]) =>
      onnxFile({ node, valueInfo, output: [value('y', 'batch', 3)] });

    it('is named, and what needs no derivative works, where the file says the shape', () => {
      const report = inspect(file(value('volumes', 'batch', 3), value('waves', 'batch', 3)));
      expect(report.classes).toBe(3);
      expect(report.unsupported).toEqual([
        { op: 'Det', nodes: ['det', 'other'] },
        { op: 'STFT', nodes: ['stft'] },
      ]);
      expect(report.methods.find(({ id }) => id === 'occlusion')!.works).toBe(true);
    });

    it('is refused with all the others where the file does not', () => {
      const bytes = onnxFile({ node, output: [value('y', 'rows', 'classes')] });
      expect(() => inspect(bytes)).toThrow('operators Det (2 nodes), STFT (node "stft") are not supported');
    });
  });

  it('E12: shows the names of a file escaped', () => {
    const report = inspect(withOdd('image', 'o\u001b[2Jdd\n'));
    expect(report.unsupported[0]!.nodes).toEqual(['o\\u001b[2Jdd\\u000a']);
  });
});
