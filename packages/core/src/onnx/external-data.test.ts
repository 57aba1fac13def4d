import { describe, expect, it, test } from 'vitest';
import { InputError } from '../errors.ts';
import { Dice } from '../testing/dice.ts';
import { folder } from '../testing/folder.ts';
import { type AttributeInit, onnxFile, type TensorInit, value } from '../testing/onnx-file.ts';
import type { FilesBeside } from './data-range.ts';
import { readExternalData } from './external-data.ts';
import { readModel } from './read.ts';

type Entries = Readonly<Record<string, string>>;
const outside = (entries: Entries, more: TensorInit = {}): TensorInit => ({
  ...{ name: 'w', dims: [2n], dataType: 1, dataLocation: 1 },
  externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
  ...more,
});
const modelOf = (...initializer: TensorInit[]) => onnxFile({ initializer });
const floats = (...numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer);
const numbers = floats(1, 2, 3, 4);

/** The model as one file, of at most so many bytes. */
const merged = (bytes: Uint8Array<ArrayBuffer>, files: FilesBeside, limit?: number) =>
  readExternalData(bytes, files, { bytes: limit }).bytes;

function refusal(bytes: Uint8Array<ArrayBuffer>, files: FilesBeside, limit?: number) {
  try {
    merged(bytes, files, limit);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return error as InputError;
  }
  throw new Error('the file was merged');
}

describe('data beside the model are put into it', () => {
  const tied = { location: 'm.onnx.data', offset: '8', length: '8' };
  const relu = { opType: 'Relu', name: 'relu', input: ['image'], output: ['y'] };
  const constant = (t: TensorInit): AttributeInit => ({ name: 'value', type: 4, t });

  test('in weights and in attributes, at offsets, twice where weights are tied', () => {
    const bytes = onnxFile({
      initializer: [
        outside({ location: 'm.onnx.data' }, { name: 'first' }),
        { name: 'own', dims: [1n], dataType: 1, floatData: [7] },
        outside(tied, { name: 'second' }),
        outside(tied, { name: 'again' }),
        outside({ location: 'other' }, { name: 'byte', dims: [], dataType: 2 }),
        outside({ location: 'other', length: '0' }, { name: 'none', dims: [0n] }),
      ],
      node: [
        relu,
        {
          opType: 'Constant',
          name: 'c',
          output: ['c'],
          attribute: [constant(outside({ location: 'm.onnx.data' }))],
        },
      ],
    });
    const { beside } = folder({ 'm.onnx.data': numbers, other: Uint8Array.of(9) });
    const { graph } = readModel(merged(bytes, beside));
    expect(Array.from(graph.constants, ([name, { data }]) => [name, [...(data as Float32Array)]])).toEqual([
      ['first', [1, 2]],
      ['own', [7]],
      ['second', [3, 4]],
      ['again', [3, 4]],
      ['byte', [9]],
      ['none', []],
    ]);
    expect(graph.nodes[1]!.attributes.value).toMatchObject({ tensor: { data: Float32Array.of(1, 2) } });
  });

  test('with lengths that take more bytes than before, in every message around them', () => {
    const data = new Uint8Array(4 * 300_000).fill(1);
    const bytes = modelOf(
      ...['a', 'b'].map((name) => outside({ location: 'd' }, { name, dims: [300_000n] })),
    );
    const { graph } = readModel(merged(bytes, folder({ d: data }).beside));
    expect(Array.from(graph.constants.values(), ({ data: { length } }) => length)).toEqual([
      300_000, 300_000,
    ]);
    expect(graph.inputs.map(({ name }) => name)).toEqual(['image']);
  });

  test.each([
    ['a model that is whole', onnxFile()],
    ['what is no model', Uint8Array.from({ length: 64 }, () => 0xff)],
    ['no bytes', new Uint8Array()],
  ])('%s stays as it is', (_, bytes) => {
    expect(merged(bytes, folder({}).beside)).toBe(bytes);
  });
});

describe('M1: what is not a range of a file beside the model is refused by name', () => {
  const elsewhere = 'model_external_data_forbidden';
  test.each([
    ['../x', /which is a path/],
    ['sub/x', /which is a path/],
    ['..\\x', /which is a path/],
    ['/etc/passwd', /which is a path/],
    ['/dev/zero', /which is a path/],
    ['..', /which names no file/],
    ['.', /which names no file/],
    ['', /which names no file/],
    ['C:x', /which may name a drive or a device/],
    ['.netrc', /which is a hidden file/],
    ['x\0.data', /which has control characters/],
    ['x\u202e.data', /which has control characters/],
    ['x'.repeat(300), /longer than a name may be/],
    ['*/_ORT_MEM_ADDR_/*', /which means an address in memory/],
  ])('the file %j', (location, message) => {
    const { beside, asked } = folder({ [location]: numbers });
    const refused = refusal(modelOf(outside({ location })), beside);
    expect([refused.code, asked]).toEqual([elsewhere, []]);
    expect(refused.message).toMatch(message);
    expect(refused.message).toMatch(/^tensor "w" keeps its data in/);
  });

  const at = (entries: Entries) => outside({ location: 'd', ...entries });
  test.each<[string, TensorInit[], RegExp]>([
    ['an offset past the end', [at({ offset: '16' })], /bytes 16 to 24 of "d", which has 16/],
    ['a length past the end', [at({ offset: '12', length: '8' })], /bytes 12 to 20 of "d", which has 16/],
    ['more than the tensor needs', [at({ length: '16' })], /states 16 bytes of "d", and its shape needs 8/],
    ['less than the tensor needs', [at({ length: '4' })], /states 4 bytes of "d", and its shape needs 8/],
    [
      'an offset of 2^63',
      [at({ offset: `${2n ** 63n}` })],
      /offset is "9223372036854775808", expected a number/,
    ],
    [
      'an offset of 2^53',
      [at({ offset: `${2n ** 53n}` })],
      /offset is "9007199254740992", expected a number/,
    ],
    ['an offset below zero', [at({ offset: '-8' })], /offset is "-8", expected a number of bytes/],
    ['an offset in another form', [at({ offset: '0x8' })], /offset is "0x8"/],
    ['no offset', [at({ offset: '' })], /offset is ""/],
    ['a shape of 2^63', [outside({ location: 'd' }, { dims: [2n ** 62n, 2n] })], /its shape is/],
    ['a shape below zero', [outside({ location: 'd' }, { dims: [-2n, -1n] })], /its shape is \[-2,-1\]/],
    ['an unknown type', [outside({ location: 'd' }, { dataType: 99 })], /element type 99 is not supported/],
    ['no file', [outside({ offset: '0' })], /does not say in which file/],
    ['a file that is not there', [outside({ location: 'missing' })], /no file missing/],
    [
      'data in the model too',
      [outside({ location: 'd' }, { rawData: floats(1, 2) })],
      /data in the model as well/,
    ],
    [
      'data in the model instead',
      [outside({ location: 'd' }, { dataLocation: 0 })],
      /says that its data are not there/,
    ],
    [
      'a file twice',
      [outside({}, { externalData: ['d', 'e'].map((value) => ({ key: 'location', value })) })],
      /states location twice/,
    ],
    [
      'bytes that are partly those of another tensor',
      [at({}), outside({ location: 'd', offset: '4' }, { name: 'v' })],
      /data of tensor "v" are not read: its bytes of "d" are partly those of tensor "w"/,
    ],
  ])('%s', (_, tensors, message) => {
    const { beside, asked } = folder({ d: numbers, unnamed: numbers });
    const refused = refusal(modelOf(...tensors), beside);
    expect([refused.code, asked]).toEqual(['invalid_model', []]);
    expect(refused.message).toMatch(message);
  });

  it('a file that becomes too large when the same bytes are put into it again and again', () => {
    const tensors = Array.from({ length: 100 }, (_, i) => outside({ location: 'd' }, { name: `w${i}` }));
    const bytes = modelOf(...tensors);
    const { beside, asked } = folder({ d: numbers });
    expect(refusal(bytes, beside, bytes.length + 799)).toMatchObject({ code: 'model_too_large' });
    expect(asked).toEqual([]);
    expect(() => merged(bytes, beside, bytes.length + 800)).not.toThrow();
  });

  it('a size of 2^40 is refused before room is made for it', () => {
    const huge: FilesBeside = { sizeOf: () => 2 ** 50, read: () => expect.unreachable() };
    const bytes = modelOf(outside({ location: 'd' }, { dims: [2n ** 38n] }));
    expect(refusal(bytes, huge).code).toBe('model_too_large');
  });

  it('of four thousand damaged references each is read within its file, or refused', () => {
    const counts = { merged: 0, apart: 0, refused: 0 };
    for (let seed = 0; seed < 4000; seed++) {
      const dice = new Dice(seed);
      const text = () => dice.one(['0', '4', '8', '16', '-1', '1e3', `${2n ** 63n}`, ' 8', '']);
      const name = () =>
        dice.one(['d', 'd', 'd', 'e', '../d', '/d', 'd/../e', '.', '\0', '__proto__', 'unnamed ']);
      const tensor = (i: number): TensorInit => ({
        ...{
          name: `w${i}`,
          dims: [dice.one([0n, 1n, 2n, 2n, 2n ** 62n, -1n])],
          dataType: dice.one([1, 1, 1, 2, 7, 16]),
        },
        dataLocation: dice.one([1, 1, 1, 1, 0, 2]),
        externalData: [
          { key: 'location', value: name() },
          ...(dice.below(2) ? [{ key: 'offset', value: text() }] : []),
          ...(dice.below(3) ? [] : [{ key: dice.one(['length', 'location']), value: text() }]),
        ],
      });
      const whole = modelOf(...Array.from({ length: 1 + dice.below(2) }, (_, i) => tensor(i)));
      // Every third has bytes of its protobuf damaged as well.
      const bytes = Uint8Array.from(whole);
      if (seed % 3 === 0) bytes[dice.below(bytes.length)] = dice.below(256);
      const files = { d: numbers, e: numbers, unnamed: numbers };
      const { beside, asked } = folder(files);
      try {
        const read = merged(bytes, beside);
        if (read !== bytes) counts.merged++;
        readModel(read);
        // The same as a model that is too large for one file.
        const apart = readExternalData(bytes, beside, { oneFile: bytes.length, apart: 1 });
        if (apart.weights.size > 0) counts.apart++;
        readModel(apart);
      } catch (error) {
        if (!(error instanceof InputError)) throw new Error(`seed ${seed}`, { cause: error });
        counts.refused++;
      }
      for (const [file, from, to] of asked) {
        expect(['d', 'e']).toContain(file);
        expect(from).toBeGreaterThanOrEqual(0);
        expect(to).toBeLessThanOrEqual(numbers.length);
      }
    }
    expect(counts.merged).toBeGreaterThan(100);
    expect(counts.apart).toBeGreaterThan(50);
    expect(counts.refused).toBeGreaterThan(2000);
  });
});

test('a graph is the same whether its data were beside it or in it', () => {
  const whole = onnxFile({
    initializer: [{ name: 'w', dims: [2n, 2n], dataType: 1, rawData: numbers }],
    output: [value('y', 'batch', 3, 4, 4)],
  });
  const apart = onnxFile({ initializer: [outside({ location: 'd' }, { dims: [2n, 2n] })] });
  expect(merged(apart, folder({ d: numbers }).beside)).toEqual(whole);
});
