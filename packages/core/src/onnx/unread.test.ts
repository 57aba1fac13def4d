import { describe, expect, it, test } from 'vitest';
import { InputError } from '../errors.ts';
import { inspect } from '../inspect.ts';
import { readClassifier } from '../model/classifier.ts';
import { forwardModel } from '../programs/forward.ts';
import { float32 } from '../tensor.ts';
import { type AttributeInit, onnxFile, type TensorInit, value } from '../testing/onnx-file.ts';
import { cpu } from '../testing/ort.ts';
import { readModel } from './read.ts';

type Nodes = NonNullable<Parameters<typeof onnxFile>[0]>['node'];
const node = (
  opType: string,
  input: string[],
  output: string,
  attribute: AttributeInit[] = [],
  domain = '',
) => ({
  ...{ opType, name: `${opType}_${output}`, input, attribute, domain },
  output: [output],
});
/** image → scores of three channels, and what else there is. */
const classifier = (more: Nodes & object, outputs: string[], initializer: TensorInit[] = []) =>
  onnxFile({
    initializer,
    node: [node('GlobalAveragePool', ['image'], 'pooled'), node('Flatten', ['pooled'], 'scores'), ...more],
    output: outputs.map((name) => value(name, 'batch', 3)),
  });
const zipMap = node('ZipMap', ['scores'], 'loss', [], 'ai.onnx.ml');

function refusal(read: () => unknown): InputError {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return error as InputError;
  }
  throw new Error('the file was read');
}

describe('what does not lead to the scores is not read', () => {
  const words: TensorInit = { name: 'words', dims: [1n], dataType: 8, stringData: [new Uint8Array([97])] };
  const loop = node('Loop', ['scores'], 'looped', [{ name: 'body', type: 5, g: {} }]);
  test.each<[what: string, bytes: Uint8Array, others: string[]]>([
    ['a ZipMap that gives another output', classifier([zipMap], ['loss', 'scores']), ['loss']],
    ['a ZipMap that gives none', classifier([zipMap], ['scores']), []],
    [
      'what is made of it',
      classifier([zipMap, node('Relu', ['loss'], 'more')], ['scores', 'more']),
      ['more'],
    ],
    [
      'labels that are text',
      classifier([node('Gather', ['words', 'scores'], 'label')], ['label', 'scores'], [words]),
      ['label'],
    ],
    ['a loop', classifier([loop], ['scores', 'looped']), ['looped']],
  ])('%s', (_, bytes, others) => {
    const report = inspect(bytes);
    expect([report.classes, report.outputs]).toEqual([3, ['scores']]);
    expect([...readModel(bytes).refused.keys()]).toEqual(others);
    // But it is listed as what the model also gives.
    expect(report.notes).toEqual(
      others.map((name) => `output "scores" holds the scores; the model also has "${name}"`),
    );
  });

  test('shapes that contradict each other neither', () => {
    const wrong = node('Reshape', ['scores', 'shape'], 'apart');
    const shape: TensorInit = { name: 'shape', dims: [1n], dataType: 7, int64Data: [7n] };
    expect(inspect(classifier([wrong], ['scores', 'apart'], [shape])).classes).toBe(3);
  });

  test('but where it was asked for, or nothing else is there, it is refused by name', () => {
    const message =
      'node "ZipMap_loss" is "ai.onnx.ml.ZipMap": only operators of the standard ONNX domain are supported';
    const both = classifier([zipMap], ['loss', 'scores']);
    expect(refusal(() => readClassifier(both, { output: 'loss' }))).toMatchObject({ message });
    expect(refusal(() => readModel(classifier([zipMap], ['loss'])))).toMatchObject({ message });
  });
});

describe('an If whose condition is known is its branch', () => {
  const ints = (name: string, ...numbers: bigint[]): TensorInit => ({
    ...{ name, dims: [BigInt(numbers.length)], dataType: 7, int64Data: numbers },
  });
  const branch = (
    nodes: Nodes & object,
    output: string,
    initializer: TensorInit[] = [],
  ): AttributeInit['g'] => ({
    ...{ name: 'branch', node: nodes, output: [value(output)], initializer },
  });
  /** scores → twice them where the image has so many channels, else as they are. */
  const conditional = (channels: bigint, condition = 'so') => {
    const two: TensorInit = { name: 'two', dims: [1n], dataType: 1, floatData: [2] };
    const then = branch([node('Mul', ['scores', 'two'], 'twice')], 'twice', [two]);
    const otherwise = branch([node('Identity', ['scores'], 'once')], 'once');
    return classifier(
      [
        node('Shape', ['image'], 'shape'),
        node('Gather', ['shape', 'one'], 'channels'),
        node('Equal', ['channels', 'wanted'], 'so'),
        node('ReduceMax', ['scores'], 'largest', [{ name: 'keepdims', type: 2, i: 0n }]),
        node('Greater', ['largest', 'zero'], 'computed'),
        node('If', [condition], 'end', [
          { name: 'then_branch', type: 5, g: then! },
          { name: 'else_branch', type: 5, g: otherwise! },
        ]),
      ],
      ['end'],
      [ints('one', 1n), ints('wanted', channels), { name: 'zero', dims: [], dataType: 1, floatData: [0] }],
    );
  };
  const image = float32(
    [1, 3, 4, 4],
    Float32Array.from({ length: 48 }, (_, i) => Math.floor(i / 16) + 1),
  );

  test.each([
    [3n, [2, 4, 6]],
    [4n, [1, 2, 3]],
  ])('of a picture of %s channels', async (channels, expected) => {
    const session = await cpu.load(forwardModel(readClassifier(conditional(channels))));
    const { logits } = await session.run({ image });
    await session.close();
    expect(Array.from(logits!.data as Float32Array)).toEqual(expected);
  });

  it('E4: is refused where the condition depends on the image', () => {
    expect(refusal(() => readClassifier(conditional(3n, 'computed')))).toMatchObject({
      code: 'model_unsupported_op',
      message: 'node "If_end" (If) takes a branch by what it computes: control flow is not supported',
    });
  });

  const invalid = (then: AttributeInit['g'], message: RegExp) => {
    const otherwise = branch([node('Identity', ['scores'], 'once')], 'once');
    const bytes = classifier(
      [
        node('If', ['yes'], 'end', [
          { name: 'then_branch', type: 5, g: then! },
          { name: 'else_branch', type: 5, g: otherwise! },
        ]),
      ],
      ['end'],
      [{ name: 'yes', dims: [], dataType: 9, int32Data: [1] }],
    );
    expect(refusal(() => readModel(bytes)).message).toMatch(message);
  };
  it.each<[string, AttributeInit['g'], RegExp]>([
    [
      'makes a value that is there',
      branch([node('Relu', ['scores'], 'pooled')], 'pooled'),
      /makes "pooled" a second time/,
    ],
    [
      'makes the value of its node',
      branch([node('Relu', ['scores'], 'end')], 'end'),
      /makes "end" a second time/,
    ],
    [
      'uses what nothing makes',
      branch([node('Relu', ['nothing'], 'r')], 'r'),
      /uses "nothing", which nothing before/,
    ],
    [
      'gives what nothing makes',
      branch([node('Relu', ['scores'], 'r')], 'q'),
      /nothing makes the output "q" of the branch/,
    ],
    [
      'loops',
      branch([node('Loop', ['scores'], 'r', [{ name: 'body', type: 5, g: {} }])], 'r'),
      /holds a sub-graph/,
    ],
    [
      'is of another domain',
      branch([node('Relu', ['scores'], 'r', [], 'x')], 'r'),
      /only operators of the standard/,
    ],
  ])('whose branch %s is refused', (_, then, message) => invalid(then, message));

  it('E4: has its nodes counted', () => {
    const relus = Array.from({ length: 100 }, (_, i) => node('Relu', [i ? `r${i - 1}` : 'scores'], `r${i}`));
    const bytes = classifier(
      [node('If', ['yes'], 'end', [{ name: 'then_branch', type: 5, g: branch(relus, 'r99')! }])],
      ['end'],
      [{ name: 'yes', dims: [], dataType: 9, int32Data: [1] }],
    );
    const limits = { bytes: 2 ** 20, parsed: 2 ** 30, weights: 2 ** 20, elements: 2 ** 20 };
    expect(refusal(() => readModel(bytes, { ...limits, nodes: 102 })).message).toMatch(/has 103 nodes/);
    expect(() => readModel(bytes, { ...limits, nodes: 103 })).not.toThrow();
  });
});
