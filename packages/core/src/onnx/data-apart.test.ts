import { describe, expect, it, test } from 'vitest';
import { createExplainer } from '../explainer.ts';
import { inspect } from '../inspect.ts';
import { readClassifier } from '../model/classifier.ts';
import { dataBeside } from '../testing/data-beside.ts';
import { folder } from '../testing/folder.ts';
import { tinyImages, tinyNetwork } from '../testing/network.ts';
import { onnxFile, type TensorInit } from '../testing/onnx-file.ts';
import { cpu } from '../testing/ort.ts';
import { readExternalData } from './external-data.ts';
import { defaultLimits } from './limits.ts';
import { readModel } from './read.ts';

const numbers = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const outside = (
  name: string,
  entries: Readonly<Record<string, string>>,
  more: TensorInit = {},
): TensorInit => ({
  ...{ name, dims: [2n], dataType: 1, dataLocation: 1 },
  externalData: Object.entries({ location: 'd', ...entries }).map(([key, value]) => ({ key, value })),
  ...more,
});
const joined = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

describe('a model that is too large for one file', () => {
  const bytes = onnxFile({
    initializer: [
      outside('first', {}),
      outside('second', { offset: '8' }),
      outside('tied', { offset: '8' }),
      outside('small', {}, { dims: [1n], externalData: [{ key: 'location', value: 'e' }] }),
      outside('none', { length: '0' }, { dims: [0n] }),
    ],
    node: [
      { opType: 'Relu', name: 'relu', input: ['image'], output: ['y'] },
      {
        opType: 'Constant',
        name: 'c',
        output: ['c'],
        attribute: [{ name: 'value', type: 4, t: outside('', { offset: '8' }) }],
      },
    ],
  });
  const files = () => folder({ d: numbers, e: numbers.subarray(12) });
  const oneFile = bytes.length + 4 + 8;
  const apart = { oneFile, apart: 8 };

  it('keeps its large weights outside, tied ones once, and has the rest in its file', () => {
    const { beside, asked } = files();
    const model = readExternalData(bytes, beside, apart);
    expect(Array.from(model.weights, ([name, data]) => [name, [...new Float32Array(data.buffer)]])).toEqual([
      ['data_0', [1, 2]],
      ['data_1', [3, 4]],
    ]);
    // In the order of the file, whose nodes come first.
    expect(asked).toEqual([
      ['d', 8, 16],
      ['d', 0, 8],
      ['d', 8, 16],
      ['e', 0, 4],
    ]);
    const { graph } = readModel(model);
    expect(Array.from(graph.constants, ([name, { data }]) => [name, [...(data as Float32Array)]])).toEqual([
      ['first', [1, 2]],
      ['second', [3, 4]],
      ['tied', [3, 4]],
      ['small', [4]],
      ['none', []],
    ]);
    expect(graph.nodes[1]!.attributes.value).toMatchObject({ tensor: { data: Float32Array.of(3, 4) } });
    expect(graph.constants.get('second')!.data.buffer).toBe(model.weights.get('data_1')!.buffer);
    expect(graph.constants.get('tied')!.data.buffer).toBe(model.weights.get('data_1')!.buffer);
  });

  it('has the bytes, part by part, of the file that it would be', () => {
    const whole = readExternalData(bytes, files().beside);
    expect(whole.weights.size).toBe(0);
    expect(joined(whole.parts)).toEqual(whole.bytes);
    expect(joined(readExternalData(bytes, files().beside, apart).parts)).toEqual(whole.bytes);
  });

  it('is refused when what stays in its file is too large, before anything is read', () => {
    const { beside, asked } = files();
    expect(() => readExternalData(bytes, beside, { ...apart, oneFile: oneFile - 1 })).toThrow(
      `the model has, without the large weights that lie beside it, ${oneFile} bytes together, at most ${oneFile - 1} are allowed`,
    );
    expect(asked).toEqual([]);
  });

  it('is refused when all of it is larger than allowed', () => {
    const model = readExternalData(bytes, files().beside, apart);
    const size = model.bytes.length + 16;
    const refused = `the model has ${size} bytes, at most ${size - 1} are allowed`;
    expect(() => readModel(model, { ...defaultLimits, bytes: size })).not.toThrow();
    expect(() => readModel(model, { ...defaultLimits, bytes: size - 1 })).toThrow(refused);
    expect(() => readExternalData(bytes, files().beside, { ...apart, bytes: oneFile + 23 })).toThrow(
      `the model and its external data have ${oneFile + 24} bytes together, at most ${oneFile + 23} are allowed`,
    );
    expect(() => readExternalData(bytes, files().beside, { ...apart, bytes: oneFile + 24 })).not.toThrow();
  });

  it('M1: names nothing but what came with it', () => {
    const { bytes: file, weights } = readExternalData(bytes, files().beside, apart);
    const code = 'model_external_data_forbidden';
    const without = new Map([...weights].slice(0, 1));
    expect(() => readModel({ bytes: file, weights: without })).toThrow(expect.objectContaining({ code }));
    // An attribute's tensor lies outside in no model that we read: only weights do.
    expect(() => readModel({ bytes, weights: new Map([['d', numbers]]) })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('M1: with data of another length than its shape needs is refused', () => {
    const { bytes: file, weights } = readExternalData(bytes, files().beside, apart);
    const shorter = new Map([...weights].map(([name, data]) => [name, data.subarray(4)]));
    expect(() => readModel({ bytes: file, weights: shorter })).toThrow(/tensor "first": shape \[2\] needs 2/);
  });
});

test.each(['grad-cam', 'integrated-gradients', 'occlusion'])(
  '%s of a model with its weights outside is that of the one file',
  async (method) => {
    const whole = tinyNetwork();
    const { model, data } = dataBeside(whole, 'd');
    const read = readExternalData(Uint8Array.from(model), folder({ d: data }).beside, {
      ...{ oneFile: model.length, apart: 1 },
    });
    expect(read.weights.size).toBeGreaterThan(3);
    expect(inspect(read)).toEqual(inspect(whole));
    const attribution = async (given: Parameters<typeof readClassifier>[0]) => {
      const explainer = await createExplainer(readClassifier(given), { method }, cpu);
      const { attribution } = await explainer.attribute(tinyImages(), [0, 1]);
      await explainer.close();
      return attribution;
    };
    expect(await attribution(read)).toEqual(await attribution(whole));
  },
);
