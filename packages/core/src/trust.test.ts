import { describe, expect, it } from 'vitest';
import { InputError, type InputErrorCode } from './errors.ts';
import { createExplainer } from './explainer.ts';
import { inspect } from './inspect.ts';
import { readClassifier } from './model/classifier.ts';
import type { Runtime } from './runtime/runtime.ts';
import { field, onnxFile, type TensorInit, value } from './testing/onnx-file.ts';

// A model is data: what has once harmed a runtime is refused by name before any runtime sees it. Each probe was run
// against ONNX Runtime itself; `onnx/read.test.ts` and `classifier/` have what a file may not hold at all.

/** A runtime that must not be reached. */
const unreachable: Runtime = {
  device: 'none',
  load: () => Promise.reject(new Error('the model reached the runtime')),
};

const ints = (name: string, ...values: bigint[]): TensorInit => ({
  name,
  dims: [BigInt(values.length)],
  dataType: 7,
  int64Data: values,
});
const float = (name: string, ...values: number[]): TensorInit => ({
  name,
  dims: [BigInt(values.length)],
  dataType: 1,
  floatData: values,
});
const node = (opType: string, input: string[], output = 'large', attribute: object[] = []) => ({
  opType,
  name: opType.toLowerCase(),
  input,
  output: [output],
  attribute,
});
/** y = GlobalAveragePool(what the nodes make as "large"). */
const pooled = (nodes: ReturnType<typeof node>[], initializer: TensorInit[] = []) =>
  onnxFile({ node: [...nodes, node('GlobalAveragePool', ['large'], 'y')], initializer });
/** y = GlobalAveragePool(image + "large"). */
const added = (nodes: ReturnType<typeof node>[], initializer: TensorInit[] = []) =>
  onnxFile({
    node: [...nodes, node('Add', ['image', 'large'], 'sum'), node('GlobalAveragePool', ['sum'], 'y')],
    initializer,
  });
const elsewhere = (location: string, more: { key: string; value: string }[] = []) =>
  pooled(
    [node('Mul', ['image', 'w'])],
    [
      {
        name: 'w',
        dims: [1n],
        dataType: 1,
        dataLocation: 1,
        externalData: [{ key: 'location', value: location }, ...more],
      },
    ],
  );
const relus = (count: number) =>
  onnxFile({
    node: Array.from({ length: count }, (_, i) => node('Relu', [i ? `r${i - 1}` : 'image'], `r${i}`)),
    output: [value(`r${count - 1}`, 'batch', 3, 4, 4)],
  });

const external = 'model_external_data_forbidden';
const invalid = 'invalid_model';
const large = 'model_too_large';
const unsupported = 'model_unsupported_op';

const probes: readonly (readonly [string, Uint8Array, InputErrorCode, RegExp])[] = [
  ['external data: ../../x', elsewhere('../../etc/passwd'), external, /^tensor "w" keeps its data/],
  ['external data: absolute', elsewhere('/etc/passwd'), external, /^tensor "w" keeps its data/],
  ['external data: /dev/zero', elsewhere('/dev/zero'), external, /^tensor "w" keeps its data/],
  ['external data: in the working directory', elsewhere('package.json'), external, /^tensor "w"/],
  ['external data: a memory address', elsewhere('*/_ORT_MEM_ADDR_/*'), external, /^tensor "w"/],
  [
    'external data: length 2^42',
    elsewhere('x', [{ key: 'length', value: `${2 ** 42}` }]),
    external,
    /^tensor "w"/,
  ],
  [
    'ConstantOfShape 4e9',
    added([node('ConstantOfShape', ['s'])], [ints('s', 1n, 1n, 1n, 4_000_000_000n)]),
    invalid,
    /constantofshape|do not broadcast/i,
  ],
  [
    'ConstantOfShape 4e9, of a shape that fits',
    pooled([node('ConstantOfShape', ['s'])], [ints('s', 1n, 3n, 1n, 4_000_000_000n)]),
    large,
    /^value "large" has \d+ elements per image/,
  ],
  [
    'ConstantOfShape 1e13',
    pooled([node('ConstantOfShape', ['s'])], [ints('s', 1n, 3n, 1n, 10_000_000_000_000n)]),
    large,
    /^value "large" has \d+ elements per image/,
  ],
  [
    'ConstantOfShape of negative sizes',
    pooled([node('ConstantOfShape', ['s'])], [ints('s', 1n, -3n, -2n, 4n)]),
    invalid,
    /a result of shape \[1,-3,-2,4\]/,
  ],
  [
    'ConstantOfShape of sizes that overflow',
    pooled([node('ConstantOfShape', ['s'])], [ints('s', 2n ** 32n, 2n ** 32n, 1n, 1n)]),
    invalid,
    /a result of shape/,
  ],
  [
    'ConstantOfShape, a thousand times what is followed',
    onnxFile({
      node: [
        ...Array.from({ length: 1000 }, (_, i) => node('ConstantOfShape', ['s'], `c${i}`)),
        // All of them lead to the scores: what does not is not looked at.
        node(
          'Sum',
          Array.from({ length: 1000 }, (_, i) => `c${i}`),
          'all',
        ),
        node('ReduceMax', ['all'], 'most'),
        node('GlobalAveragePool', ['image'], 'pooled'),
        node('Add', ['pooled', 'most'], 'y'),
      ],
      initializer: [ints('s', 32768n)],
    }),
    large,
    /^the model computes more than \d+ elements of constants/,
  ],
  [
    'Expand 4e9',
    pooled([node('Expand', ['image', 's'])], [ints('s', 1n, 1000_000_000n, 1n, 1n, 1n)]),
    large,
    /^value "large" has \d+ elements per image/,
  ],
  [
    'Resize x 200^2',
    pooled([node('Resize', ['image', '', 'f'])], [float('f', 1, 1, 20_000, 20_000)]),
    large,
    /^value "large" has \d+ elements per image/,
  ],
  [
    'Tile',
    pooled([node('Tile', ['image', 's'])], [ints('s', 1n, 1n, 100_000n, 100_000n)]),
    large,
    /^value "large" has \d+ elements per image/,
  ],
  [
    'Pad',
    pooled([node('Pad', ['image', 's'])], [ints('s', 0n, 0n, 0n, 0n, 0n, 0n, 100_000n, 100_000n)]),
    large,
    /^value "large" has \d+ elements per image/,
  ],
  [
    'an image that nobody could hold',
    onnxFile({
      input: [value('image', 'batch', 3, 100_000, 100_000)],
      node: [node('GlobalAveragePool', ['image'], 'y')],
    }),
    large,
    /^value "image" has \d+ elements per image/,
  ],
  [
    'a window of 2^40',
    pooled([node('MaxPool', ['image'], 'large', [{ name: 'kernel_shape', type: 7, ints: [2n ** 40n, 1n] }])]),
    invalid,
    /a window of kernel \[1099511627776,1\]/,
  ],
  [
    'Loop 2^62 trips',
    pooled([node('Loop', ['n'], 'large', [{ name: 'body', type: 5, g: {} }])], [ints('n', 2n ** 62n)]),
    unsupported,
    /^node "loop" \(Loop\) holds a sub-graph/,
  ],
  ['200 000 Relu nodes', relus(200_000), large, /^the model has 200000 nodes, at most 100000 are allowed$/],
  [
    'an operator that no version has',
    pooled([node('Frobnicate', ['image'])]),
    unsupported,
    /^node "frobnicate" is "Frobnicate", which is no ONNX operator$/,
  ],
  [
    'com.microsoft, off the allow-list',
    onnxFile({ node: [{ ...node('Sampling', ['image'], 'y'), domain: 'com.microsoft' }] }),
    unsupported,
    /^node "sampling" is "com.microsoft.Sampling"/,
  ],
  [
    'a function that calls itself',
    Uint8Array.from([
      ...pooled([node('Relu', ['image'])]),
      ...field(
        25,
        field(1, new TextEncoder().encode('f')),
        field(7, field(4, new TextEncoder().encode('f'))),
      ),
    ]),
    unsupported,
    /^the model defines functions of its own \("f"\)/,
  ],
];

const batchNorm = ['scale', 'bias', 'mean', 'variance'];
/** What damaged models have got past the reader with, each found by `testing/fuzz`. */
const found: typeof probes = [
  [
    'a bias of other channels than the convolution',
    pooled(
      [node('Conv', ['image', 'w', 'b'])],
      [
        { name: 'w', dims: [2n, 3n, 1n, 1n], dataType: 1, floatData: [1, 2, 3, 4, 5, 6] },
        float('b', 1, 2, 3),
      ],
    ),
    invalid,
    /node "conv" \(Conv\): input 2 is \[3\], expected \[2\]/,
  ],
  [
    'a batch normalisation of other channels than the image',
    pooled(
      [node('BatchNormalization', ['image', ...batchNorm])],
      batchNorm.map((name) => float(name, 1, 2)),
    ),
    invalid,
    /input 1 is \[2\], expected \[3\]/,
  ],
  [
    'a value of 40 dimensions',
    pooled([node('Reshape', ['image', 's'])], [ints('s', -1n, 3n, 16n, ...Array<bigint>(37).fill(1n))]),
    invalid,
    /a result of 40 dimensions/,
  ],
  [
    'a control character in what a message tells of an attribute',
    pooled([
      node('Einsum', ['image'], 'large', [
        { name: 'equation', type: 3, s: new TextEncoder().encode('ij\u0001->ij') },
      ]),
    ]),
    invalid,
    /Einsum term ij\\u0001 of an operand/,
  ],
];

describe('what has harmed a runtime is refused before it', () => {
  it.each([...probes, ...found])('%s', async (_, bytes, code, message) => {
    const attempts: (() => unknown)[] = [
      () => inspect(bytes),
      () => createExplainer(readClassifier(bytes), { method: 'occlusion' }, unreachable),
    ];
    for (const attempt of attempts) {
      const error = await Promise.resolve()
        .then(attempt)
        .catch((e) => e as InputError);
      expect(error).toBeInstanceOf(InputError);
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
      expect((error as InputError).message).toMatch(/^[^\n/]{1,500}$/); // one line, and no path of any machine
    }
  });

  it('100 000 nodes are read, without a stack overflow', () => {
    expect(() => readClassifier(relus(100_000))).toThrow(/output "r99999" is/);
  }, 60_000);
});
