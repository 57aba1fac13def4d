import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { InputError, type InputErrorCode } from '../errors.ts';
import { type AttributeInit, field, onnxFile, type TensorInit, value } from '../testing/onnx-file.ts';
import { GraphDefSchema, NodeDefSchema, TensorDefSchema } from './generated/onnx_pb.js';
import { defaultLimits } from './limits.ts';
import { readModel } from './read.ts';

const relu = { opType: 'Relu', name: 'relu', input: ['image'], output: ['y'] };
const weight = (tensor: TensorInit) =>
  onnxFile({ initializer: [{ name: 'w', dims: [2n], dataType: 1, ...tensor }] });
const attribute = (init: AttributeInit) =>
  onnxFile({ node: [{ ...relu, attribute: [{ name: 'a', ...init }] }] });
const text = (name: string) => new TextEncoder().encode(name);
/** A good file with another field after it. */
const appended = (more: Uint8Array) => Uint8Array.from([...onnxFile(), ...more]);
/** A file whose node has an attribute "a" with another field. */
const attributeOf = (more: Uint8Array) => {
  const node = [field(1, text('image')), field(2, text('y')), field(3, text('relu')), field(4, text('Relu'))];
  return appended(field(7, field(1, ...node, field(5, field(1, text('a')), more))));
};
const elsewhere = { dataLocation: 1, externalData: [{ key: 'location', value: '../../etc/passwd' }] };

/** The refusal of a file. */
function refusal(bytes: Uint8Array, limits = {}): { code: InputErrorCode; message: string } {
  try {
    readModel(bytes, { ...defaultLimits, ...limits });
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return error as InputError;
  }
  throw new Error('the file was read');
}

describe('E1: external data in any form is refused by name', () => {
  it.each([
    ['in an initializer', weight({ ...elsewhere, rawData: new Uint8Array(8) })],
    ['by location alone', weight({ dataLocation: 1 })],
    ['by its entries alone', weight({ externalData: elsewhere.externalData, rawData: new Uint8Array(8) })],
    ['in an attribute', attribute({ type: 4, t: { dims: [1n], dataType: 1, ...elsewhere } })],
  ])('%s', (_, bytes) => {
    const { code, message } = refusal(bytes);
    expect(code).toBe('model_external_data_forbidden');
    expect(message).toMatch(/^tensor "(w|relu\.a)" keeps its data in another file/);
    expect(message).not.toContain('passwd');
  });

  it('a list of tensors in an attribute is not read at all', () => {
    const bytes = attribute({ type: 9, tensors: [{ dims: [1n], dataType: 1, floatData: [1] }] });
    expect(refusal(bytes).message).toBe('node "relu": attribute "a" has an unsupported type');
  });

  const outside: TensorInit = { name: 'w', dims: [1n], dataType: 1, ...elsewhere };
  const inside = create(GraphDefSchema, { node: [relu], initializer: [outside] });
  const holding = create(NodeDefSchema, { ...relu, attribute: [{ name: 'a', type: 4, t: outside }] });
  it.each([
    ['in a list of tensors', attribute({ type: 9, tensors: [outside] }), 'relu.a.w'],
    ['behind an attribute of another type', attribute({ type: 2, i: 3n, t: outside }), 'relu.a.w'],
    ['in the values of a sparse weight', onnxFile({ sparseInitializer: [{ values: outside }] }), 'w'],
    ['in a sub-graph', attribute({ type: 5, g: inside }), 'relu.a.w'],
    ['in one of several sub-graphs', attribute({ type: 10, graphs: [inside] }), 'relu.a.w'],
    [
      'in a sparse attribute',
      attributeOf(field(22, field(1, toBinary(TensorDefSchema, create(TensorDefSchema, outside))))),
      'relu.a.w',
    ],
    [
      'in a function',
      appended(field(25, field(1, text('f')), field(7, toBinary(NodeDefSchema, holding)))),
      'f.relu.a.w',
    ],
    [
      'in training information',
      appended(field(20, field(1, toBinary(GraphDefSchema, inside)))),
      'training_info.w',
    ],
  ])('%s', (_, bytes, name) => {
    expect(refusal(bytes)).toMatchObject({
      code: 'model_external_data_forbidden',
      message: `tensor "${name}" keeps its data in another file; a model must be one file: "whylight models push" and "whylight models add" merge what lies beside the file, or in Python onnx.save(onnx.load("model.onnx"), "merged.onnx")`,
    });
  });
});

describe('E2: what is not of the standard domain is refused by name', () => {
  it.each([
    [
      'a custom operator',
      onnxFile({ node: [{ ...relu, domain: 'example' }] }),
      'node "relu" is "example.Relu": only operators of the standard ONNX domain are supported',
    ],
    [
      'an operator of ONNX Runtime that no reader knows',
      onnxFile({ node: [{ ...relu, domain: 'com.microsoft' }] }),
      'node "relu" is "com.microsoft.Relu": only operators of the standard ONNX domain are supported; take the model as it was before ONNX Runtime or optimum optimised it, or optimise it again with "optimum-cli export onnx --optimize O1" or GraphOptimizationLevel.ORT_ENABLE_BASIC',
    ],
    [
      'an operator for one kind of processor',
      onnxFile({ node: [{ ...relu, opType: 'Conv', domain: 'com.microsoft.nchwc' }] }),
      'node "relu" is "com.microsoft.nchwc.Conv": only operators of the standard ONNX domain are supported; ONNX Runtime wrote it for one kind of processor; save the model with session_options.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_EXTENDED, or take the file that was optimised',
    ],
    [
      'weights of 4 bits',
      onnxFile({ node: [{ ...relu, opType: 'MatMulNBits', domain: 'com.microsoft' }] }),
      'node "relu" is "com.microsoft.MatMulNBits": only operators of the standard ONNX domain are supported; take the model as it was before its weights were quantized to 4 bits (export it without MatMulNBitsQuantizer or "--quantize"), or quantize it to 8 bits',
    ],
    [
      'a name of ONNX Runtime in the standard domain',
      onnxFile({ node: [{ ...relu, opType: 'com.microsoft.Gelu' }] }),
      'node "relu" is "com.microsoft.Gelu", which is no ONNX operator',
    ],
    [
      'functions of its own',
      onnxFile({}, { functions: [{ name: 'f', domain: 'local' }] }),
      'the model defines functions of its own ("f"); export it with functions inlined',
    ],
    [
      'a name that is no operator',
      onnxFile({ node: [{ ...relu, opType: 'constructor' }] }),
      'node "relu" is "constructor", which is no ONNX operator',
    ],
  ])('%s', (_, bytes, message) => {
    expect(refusal(bytes)).toMatchObject({ code: 'model_unsupported_op', message });
  });
});

describe('E4: control flow, and files that are too large, are refused', () => {
  it.each(['If', 'Loop', 'Scan'])('%s', (opType) => {
    const node = { ...relu, opType, attribute: [{ name: 'body', type: 5, g: { node: [relu] } }] };
    expect(refusal(onnxFile({ node: [node] }))).toMatchObject({
      code: 'model_unsupported_op',
      message: `node "relu" (${opType}) holds a sub-graph: control flow is not supported`,
    });
  });

  it('more nodes than allowed', () => {
    const node = Array.from({ length: 4 }, (_, i) => ({
      ...relu,
      input: [i ? `y${i - 1}` : 'image'],
      output: [`y${i}`],
    }));
    const message = 'the model has 4 nodes, at most 3 are allowed';
    expect(refusal(onnxFile({ node, output: [value('y3', 1)] }), { nodes: 3 })).toMatchObject({
      code: 'model_too_large',
      message,
    });
  });

  it('more bytes of weights than allowed, float16 counted as the float32 that it becomes', () => {
    const half = weight({ dims: [3n], dataType: 10, int32Data: [1, 2, 3] });
    expect(refusal(half, { weights: 11 })).toMatchObject({
      code: 'model_too_large',
      message: "the model's weights take 12 bytes, at most 11 are allowed",
    });
    expect(() => readModel(half, { ...defaultLimits, weights: 12 })).not.toThrow();
  });

  it('more bytes than allowed', () => {
    expect(refusal(onnxFile(), { bytes: 20 }).code).toBe('model_too_large');
  });

  it('a few bytes that would parse into gigabytes', () => {
    const nodes = 2 ** 22; // two bytes each: a node with nothing in it
    const graph = Uint8Array.from({ length: 2 * nodes }, (_, i) => (i % 2 ? 0 : 0x0a));
    const bytes = Uint8Array.from([0x3a, 0x80, 0x80, 0x80, 0x04]);
    const file = new Uint8Array(bytes.length + graph.length);
    file.set(bytes);
    file.set(graph, bytes.length);
    expect(refusal(file).message).toMatch(/once parsed/);
  });

  it('a sub-graph within a sub-graph, three thousand times', () => {
    let body = new Uint8Array();
    for (let i = 0; i < 3000; i++) body = field(1, field(5, field(6, body)));
    expect(refusal(field(7, body)).message).toBe('the model is nested more than 64 deep');
  });
});

describe('what is no model is refused', () => {
  const good = onnxFile();
  it.each([
    ['nothing', new Uint8Array()],
    ['text', new TextEncoder().encode('<html><body>not found</body></html>')],
    ['a zip', Uint8Array.from([0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0])],
    ['random bytes', Uint8Array.from({ length: 512 }, (_, i) => (i * 197 + 31) % 256)],
    ['a truncated file', good.subarray(0, good.length - 7)],
    ['a file without a graph', onnxFile({}, { graph: undefined as never })],
    ['a graph without nodes', onnxFile({ node: [] })],
  ])('%s', (_, bytes) => {
    expect(refusal(bytes)).toMatchObject({
      code: 'invalid_model',
      message: expect.stringContaining('not an ONNX model'),
    });
  });

  it.each([0, 6, 27, 99])('opset %i', (version) => {
    const { message } = refusal(onnxFile({}, { opsetImport: [{ domain: '', version: BigInt(version) }] }));
    expect(message).toBe(`the model asks for opset ${version}; 7 to 26 are supported`);
  });

  it.each([
    [
      'sparse weights',
      onnxFile({ sparseInitializer: [{}] }),
      'the model has sparse weights, which are not supported',
    ],
    [
      'a cycle',
      onnxFile({ node: [{ ...relu, input: ['y'] }] }),
      'node "relu" (Relu) uses "y", which nothing before it makes',
    ],
    ['a value made twice', onnxFile({ node: [relu, relu] }), 'node "relu" (Relu) makes "y" a second time'],
    [
      'two weights of one name',
      onnxFile({
        initializer: ['w', 'w'].map((name) => ({ name, dims: [1n], dataType: 1, floatData: [1] })),
      }),
      'the model has two weights of the name "w"',
    ],
    [
      'two inputs of one name',
      onnxFile({ input: [value('image', 1, 3, 4, 4), value('image', 1, 3, 4, 4)] }),
      'the model has two inputs of the name "image"',
    ],
    [
      'two attributes of one name',
      onnxFile({
        node: [
          {
            ...relu,
            attribute: [
              { name: 'a', type: 2, i: 1n },
              { name: 'a', type: 2, i: 2n },
            ],
          },
        ],
      }),
      'node "relu" (Relu) has two attributes "a"',
    ],
    [
      'two opsets',
      onnxFile(
        {},
        {
          opsetImport: [
            { domain: '', version: 17n },
            { domain: 'ai.onnx', version: 9n },
          ],
        },
      ),
      'the model asks for opset 17 and for opset 9',
    ],
    [
      'a weight of a hundred dimensions',
      weight({ dims: Array<bigint>(100).fill(1n), floatData: [1] }),
      'tensor "w" has 100 dimensions',
    ],
    ['no output', onnxFile({ output: [] }), 'the model has no outputs'],
    ['an output from nowhere', onnxFile({ output: [value('z', 1)] }), 'nothing makes the output "z"'],
    [
      'an input that is no tensor',
      onnxFile({ input: [{ name: 'image' }] }),
      'input "image" is not a tensor of a supported type',
    ],
  ])('%s', (_, bytes, message) => {
    expect(refusal(bytes)).toMatchObject({ code: 'invalid_model', message });
  });

  it.each([
    ['negative', [-2n], '[-2]'],
    ['enormous', [2n ** 62n], '[4611686018427388000]'],
    ['overflowing', [2n ** 40n, 2n ** 40n], '[1099511627776,1099511627776]'],
  ])('a weight of %s shape', (_, dims, shown) => {
    expect(refusal(weight({ dims, rawData: new Uint8Array(8) })).message).toBe(
      `tensor "w" has shape ${shown}`,
    );
  });

  it('a weight with fewer, more or half elements', () => {
    for (const size of [4, 12, 9])
      expect(refusal(weight({ rawData: new Uint8Array(size) })).message).toMatch(
        /shape \[2\] needs 2 elements of float32/,
      );
  });

  it('a weight of a type that is not held', () => {
    const node = [{ opType: 'Add', name: 'sum', input: ['image', 'w'], output: ['y'] }];
    for (const dataType of [8, 16, 99]) {
      const bytes = onnxFile({ node, initializer: [{ name: 'w', dims: [2n], dataType }] });
      expect(refusal(bytes).message).toMatch(
        `tensor "w" has element type ${dataType}, which is not supported`,
      );
    }
    // What is no type at all is damage, wherever it is.
    expect(refusal(weight({ dataType: 99 }))).toMatchObject({ code: 'invalid_model' });
  });
});

describe('E12: names are shown escaped and short', () => {
  it.each([
    ['a line break', 'a\nb', '"a\\u000ab"'],
    ['a terminal sequence', '\u001b[31mred\u009b2J', '"\\u001b[31mred\\u009b2J"'],
    ['text that runs backwards', 'x\u202etxt', '"x\\u202etxt"'],
    ['a quotation mark', 'a"b', '"a\\"b"'],
    ['100 kB', 'n'.repeat(100_000), `"${'n'.repeat(77)}..."`],
  ])('%s', (_, name, shown) => {
    const bytes = onnxFile({ node: [{ ...relu, name, domain: 'x' }] });
    expect(refusal(bytes).message.startsWith(`node ${shown} is "x.Relu"`)).toBe(true);
  });

  it('in symbols and in the producer', () => {
    const bytes = onnxFile({ input: [value('image', 'b\n', 3)] }, { producerName: 'me\u001b[0m' });
    const { graph, producer } = readModel(bytes);
    expect(graph.inputs[0]!.shape).toEqual(['b\\u000a', 3]);
    expect(producer).toBe('me\\u001b[0m');
  });
});
