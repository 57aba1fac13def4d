import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.ts';
import type { Value } from '../onnx/builder.ts';
import { forwardModel } from '../programs/forward.ts';
import { float32, int64, sizeOf } from '../tensor.ts';
import { type Attributes, attributesOf } from '../testing/canonical.ts';
import { networkOf, tinyNetwork } from '../testing/network.ts';
import { onnxFile, value } from '../testing/onnx-file.ts';
import { cpu } from '../testing/ort.ts';
import { type ClassifierOptions, readClassifier } from './classifier.ts';
import type { FixedInputs } from './inputs.ts';

const refusal = (bytes: Uint8Array, options?: ClassifierOptions): string => {
  try {
    readClassifier(bytes, options);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error('the model was read');
};

const relu = { opType: 'Relu', name: 'relu', input: ['image'], output: ['y'] };
const pooled = { opType: 'GlobalAveragePool', name: 'pool', input: ['image'], output: ['y'] };

describe('E3: what does not look like an image classifier is refused, with what it is instead', () => {
  it.each([
    [
      'no image among the inputs',
      onnxFile({ input: [value('image', 'batch', 3)] }),
      'this model has "image" [batch,3]',
    ],
    [
      'two inputs',
      onnxFile({ input: [value('image', 1, 3, 4, 4), value('mask', 1, 1, 4, 4)] }),
      'this model has "image" [1,3,4,4], "mask" [1,1,4,4]',
    ],
    [
      'an input of truth values',
      onnxFile({
        input: [
          {
            name: 'image',
            type: { tensorType: { ...value('image', 1, 3, 4, 4).type!.tensorType, elemType: 9 } },
          },
        ],
      }),
      'input "image" is bool; a type of numbers is expected, such as float32 or uint8',
    ],
    ['an output that is a map', onnxFile(), 'output "y" is [batch,3,4,4]'],
  ])('%s', (_, bytes, message) => {
    expect(refusal(bytes)).toContain(message);
  });

  it('an output that the model does not have', () => {
    expect(refusal(tinyNetwork(), { output: 'scores' })).toBe(
      'the model has no output "scores"; it has "logits"',
    );
  });

  it('another size than the model takes', () => {
    expect(refusal(tinyNetwork(), { inputShape: [3, 8, 8] })).toBe(
      'the model takes inputs [N, 2, 6, 6], but [N, 3, 8, 8] was requested',
    );
  });

  it('shapes that contradict each other', () => {
    const bytes = onnxFile({
      node: [{ opType: 'Add', name: 'a', input: ['image', 'w'], output: ['y'] }],
      initializer: [{ name: 'w', dims: [5n], dataType: 1, floatData: [1, 2, 3, 4, 5] }],
    });
    expect(refusal(bytes)).toBe(
      'the model\'s shapes contradict each other: node "a" (Add): shapes [1,3,4,4] and [5] do not broadcast',
    );
  });

  it('a value that nobody could hold, found before anything is allocated', () => {
    const node = [
      { opType: 'Expand', name: 'e', input: ['image', 'shape'], output: ['large'] },
      { ...pooled, input: ['large'] },
    ];
    const initializer = [{ name: 'shape', dims: [5n], dataType: 7, int64Data: [9n, 1n, 3n, 2n ** 30n, 4n] }];
    const dropped = onnxFile({
      node: [
        { ...relu, output: ['r'] },
        { opType: 'Unsqueeze', name: 'u', input: ['r', 'axes'], output: ['five'] },
        { ...node[0]!, input: ['five', 'shape'] },
        {
          opType: 'ReduceMean',
          name: 'm',
          input: ['large'],
          output: ['y'],
          attribute: [
            { name: 'axes', type: 7, ints: [0n, 3n, 4n] },
            { name: 'keepdims', type: 2, i: 0n },
          ],
        },
      ],
      initializer: [
        { ...initializer[0]!, int64Data: [9n, 1n, 3n, 2n ** 30n, 4n] },
        { name: 'axes', dims: [1n], dataType: 7, int64Data: [0n] },
      ],
      input: [value('image', 'batch', 3, 1, 4)],
    });
    expect(refusal(dropped)).toMatch(
      /^value "large" has \d+ elements per image, at most 67108864 are allowed$/,
    );
  });
});

describe('inputs beside the image', () => {
  /** y = mean(image) · scale · mask + offset, the mask with a row for each image. */
  const gated = onnxFile({
    node: [
      { ...pooled, output: ['p'] },
      { opType: 'Mul', name: 's', input: ['p', 'scale'], output: ['scaled'] },
      { opType: 'Mul', name: 'm', input: ['scaled', 'mask'], output: ['masked'] },
      { opType: 'Add', name: 'o', input: ['masked', 'offset'], output: ['y'] },
    ],
    input: [
      value('scale'),
      value('image', 'batch', 3, 2, 2),
      value('mask', 'batch', 3, 1, 1),
      value('offset', 1, 3, 1, 1),
    ],
  });
  const ones = (batch: number) => float32([batch, 3, 2, 2], new Float32Array(12 * batch).fill(1));

  it('are fixed to a number, a list or a tensor; one row stands for every image', async () => {
    const offset = float32([1, 3, 1, 1], [1, 2, 3]);
    const classifier = readClassifier(gated, { inputs: { scale: 2, mask: [1, 0, -1], offset } });
    expect(classifier.notes).toEqual([
      { code: 'inputs_fixed', message: '"scale", "mask", "offset" are fixed to the values given' },
    ]);
    expect(classifier.input.name).toBe('image');
    const session = await cpu.load(forwardModel(classifier));
    const { logits } = await session.run({ image: ones(2) });
    expect(logits!.shape).toEqual([2, 3]);
    expect([...(logits!.data as Float32Array)]).toEqual([3, 2, 1, 3, 2, 1]);
    await session.close();
  });

  it('are all named where they are not', () => {
    expect(refusal(gated, { inputs: { scale: 2 } })).toContain(
      'this model has "image" [batch,3,2,2], "mask" [batch,3,1,1], "offset" [1,3,1,1]: fix each of them but the image to a value (--input NAME=VALUE',
    );
    expect(refusal(gated, { inputs: { mood: 2 } })).toBe(
      'the model has no input "mood"; it has "scale", "image", "mask", "offset"',
    );
  });

  it.each([
    [{ mask: [1, 2] }, 'input "mask" is float32 [1,3,1,1], got 2 elements'],
    [{ offset: float32([3], [1, 2, 3]) }, 'input "offset" is float32 [1,3,1,1], got float32 [3]'],
    [{ mask: int64([1, 3, 1, 1], [1, 0, 1]) }, 'input "mask" is float32 [1,3,1,1], got int64 [1,3,1,1]'],
  ])('fit, or say what was expected: %#', (wrong, message) => {
    expect(refusal(gated, { inputs: { scale: 1, mask: 1, offset: 1, ...wrong } })).toBe(message);
  });
});

describe('inputs beside the image, of every make', () => {
  const typed = (name: string, elemType: number, ...shape: (number | string)[]) => ({
    name,
    type: { tensorType: { ...value(name, ...shape).type!.tensorType, elemType } },
  });
  const list = (name: string, ...values: number[]) => ({
    name,
    dims: [BigInt(values.length)],
    dataType: 7,
    int64Data: values.map(BigInt),
  });
  const step = (opType: string, output: string, input: string[], attributes: Attributes = {}) => ({
    opType,
    name: output,
    input,
    output: [output],
    attribute: attributesOf(attributes),
  });
  /** y = count · half · (means of the first `ends` planes, the image's after the extra one, + weights · Σ_rows table) */
  const model = (batch: number | string = 'batch') =>
    onnxFile({
      node: [
        step('Concat', 'planes', ['plane', 'image'], { axis: 1 }),
        step('GlobalAveragePool', 'means', ['planes']),
        step('Slice', 'some', ['means', 'zero', 'ends', 'one']),
        step('Flatten', 'flat', ['some'], { axis: 1 }),
        step('ReduceSum', 'sums', ['table', 'zero']),
        step('Mul', 'weighed', ['sums', 'weights']),
        step('Add', 'added', ['flat', 'weighed']),
        step('Cast', 'counted', ['count'], { to: 1 }),
        step('Cast', 'halved', ['half'], { to: 1 }),
        step('Mul', 'times', ['added', 'counted']),
        step('Mul', 'y', ['times', 'halved']),
      ],
      initializer: [list('zero', 0), list('one', 1)],
      input: [
        value('image', batch, 3, 2, 2),
        value('plane', batch, 1, 2, 2),
        typed('ends', 7, 1),
        value('table', 'rows', 3),
        value('weights', 3),
        typed('count', 13),
        typed('half', 10),
      ],
      output: [value('y', batch, 3)],
    });
  const inputs = { plane: 5, ends: 3, table: 2, weights: [1, 0, -1], count: 4, half: 0.5 };
  const ones = float32([2, 3, 2, 2], new Float32Array(24).fill(1));

  async function scored(given: FixedInputs, batch?: number) {
    const session = await cpu.load(
      forwardModel(readClassifier(model(batch), { inputs: { ...inputs, ...given } })),
    );
    const { logits } = await session.run({ image: ones });
    await session.close();
    return [...(logits!.data as Float32Array)];
  }
  const twice = (...row: number[]) => [...row, ...row];

  it.each([
    ['numbers', {}, twice(14, 2, -2)],
    ['a list, a row of which stands for every image', { plane: [1, 2, 3, 6] }, twice(10, 2, -2)],
    ['a tensor with such a row', { plane: float32([1, 1, 2, 2], [1, 2, 3, 6]) }, twice(10, 2, -2)],
    [
      'a tensor of as many rows as it likes',
      { table: float32([2, 3], [1, 2, 3, 4, 5, 6]) },
      twice(20, 2, -16),
    ],
    ['a number that stands for every element', { weights: 10 }, twice(50, 42, 42)],
  ])('%s', async (_, given, expected) => {
    expect(await scored(given)).toEqual(expected);
  });

  it('a row for each image where the file says how many there are', async () => {
    const plane = [1, 2, 3, 6, 5, 5, 5, 5];
    expect(await scored({ plane }, 2)).toEqual([10, 2, -2, 14, 2, -2]);
  });

  it.each([
    [{ ends: 1.5 }, 'input "ends" is int64 [1], got a fraction'],
    [{ count: [2.5] }, 'input "count" is uint64 [], got a fraction'],
    [{ plane: float32([2, 1, 2, 2], new Float32Array(8)) }, 'is float32 [1,1,2,2], got float32 [2,1,2,2]'],
    [{ plane: float32([1, 1], [1]) }, 'input "plane" is float32 [1,1,2,2], got float32 [1,1]'],
    [{ table: float32([2, 2], [1, 2, 3, 4]) }, 'input "table" is float32 [rows,3], got float32 [2,2]'],
  ])('are refused where they do not fit: %#', (given, message) => {
    expect(refusal(model(), { inputs: { ...inputs, ...given } })).toContain(message);
  });
});

describe('several outputs', () => {
  const two = onnxFile({
    node: [relu, { ...pooled, output: ['scores'] }],
    output: [value('y', 'batch', 3, 4, 4), value('scores', 'batch', 3, 1, 1)],
  });

  it('the first that scores classes is explained, and that is told', () => {
    expect(readClassifier(two).notes).toEqual([
      { code: 'output_chosen', message: 'output "scores" holds the scores; the model also has "y"' },
    ]);
  });

  it('one that was asked for is not passed over', () => {
    expect(refusal(two, { output: 'y' })).toContain('output "y" is [batch,3,4,4]');
  });
});

describe('what a classifier is found to be', () => {
  it('the score before a final Softmax, which is told', async () => {
    const softmax = networkOf([2, 6, 6], (layer, image, g) => {
      const logits = layer('logits', 'Gemm', [
        layer('flat', 'Flatten', [image]),
        g.constant(
          float32(
            [72, 3],
            Float32Array.from({ length: 216 }, (_, i) => Math.sin(i)),
          ),
          'w',
        ),
      ]);
      return layer('out', 'Reshape', [
        layer('p', 'Softmax', [logits], { axis: 1 }),
        g.constant(int64([2], [-1, 3]), 'rows'),
      ]);
    });
    const classifier = readClassifier(softmax);
    expect(classifier.notes).toEqual([
      {
        code: 'score_before_softmax',
        message:
          'the model ends in Softmax (node "p"); the explained score is the value before it, the logit',
      },
    ]);
    const session = await cpu.load(forwardModel(classifier));
    const image = float32([1, 2, 6, 6], new Float32Array(72).fill(0.1));
    const { logits } = await session.run({ image });
    const scores = logits!.data as Float32Array;
    expect(scores.reduce((a, b) => a + b, 0)).not.toBeCloseTo(1, 3);
  });

  it('scores [N, C, 1, 1] as [N, C]', () => {
    const bytes = networkOf([4, 5, 5], (layer, image) => layer('gap', 'GlobalAveragePool', [image]));
    const classifier = readClassifier(bytes);
    expect(classifier.classes).toBe(4);
    const { g, logits } = classifier.inline((b) => b.input('x', 'float32', [-1, 4, 5, 5]));
    expect(g.shape(logits)).toEqual([-1, 4]);
  });

  it('a batch that is baked in, and an open one though the file states a size', () => {
    expect(readClassifier(tinyNetwork(2))).toMatchObject({
      batch: 2,
      notes: [{ code: 'batch_fixed', message: 'the model takes batches of 2 only' }],
    });
    expect(readClassifier(tinyNetwork()).batch).toBeUndefined();
    const stated = onnxFile({ node: [pooled], input: [value('image', 1, 3, 4, 4)] });
    expect(readClassifier(stated).batch).toBeUndefined();
  });

  it('open height and width are taken as asked', () => {
    const open = onnxFile({ node: [pooled], input: [value('image', 'n', 3, 'h', 'w')] });
    expect(readClassifier(open).inputShape).toEqual([3, 224, 224]);
    expect(readClassifier(open, { inputShape: [3, 96, 128] }).inputShape).toEqual([3, 96, 128]);
    // The average over a map takes maps of any size, also where the file states one.
    const other = { inputShape: [2, 9, 7], anySize: true };
    expect(readClassifier(tinyNetwork(), other).inputShape).toEqual([2, 9, 7]);
  });

  it('channels last', () => {
    const bytes = networkOf(
      [5, 6, 3],
      (layer, image): Value =>
        layer('gap', 'GlobalAveragePool', [layer('nchw', 'Transpose', [image], { perm: [0, 3, 1, 2] })]),
    );
    expect(readClassifier(bytes)).toMatchObject({ layout: 'NHWC', classes: 3, inputShape: [5, 6, 3] });
  });

  it('a float16 model is explained in float32, to the numbers that float16 holds', async () => {
    const half = (...bits: number[]) => new Uint8Array(Uint16Array.from(bits).buffer);
    const dim = [1n, 3n, 2n, 2n].map((dimValue) => ({ dimValue }));
    const input = [{ name: 'image', type: { tensorType: { elemType: 10, shape: { dim } } } }];
    const bytes = onnxFile({
      node: [
        { ...pooled, output: ['p'] },
        { opType: 'Mul', name: 'm', input: ['p', 'w'], output: ['y'] },
      ],
      initializer: [{ name: 'w', dims: [3n, 1n, 1n], dataType: 10, rawData: half(0x3c00, 0xc000, 0x0001) }], // 1, -2, 2⁻²⁴
      input,
    });
    const classifier = readClassifier(bytes);
    expect(classifier.notes).toEqual([
      {
        code: 'computed_in_float32',
        message: 'the model is float16; the explanation is computed in float32',
      },
    ]);
    const session = await cpu.load(forwardModel(classifier));
    const { logits } = await session.run({
      image: float32([1, 3, 2, 2], new Float32Array(sizeOf([3, 2, 2])).fill(1)),
    });
    expect(logits!.data).toEqual(Float32Array.of(1, -2, 2 ** -24));
  });
});
