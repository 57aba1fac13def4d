import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeDefSchema,
  type GraphDefSchema,
  ModelSchema,
  type NodeDef,
  type NodeDefSchema,
  type TensorDefSchema,
  type ValueInfoSchema,
} from '../onnx/generated/onnx_pb.js';

// Writes ONNX files field by field, valid and invalid.

export type NodeInit = MessageInitShape<typeof NodeDefSchema>;
export type TensorInit = MessageInitShape<typeof TensorDefSchema>;
export type AttributeInit = MessageInitShape<typeof AttributeDefSchema>;
type GraphInit = Exclude<MessageInitShape<typeof GraphDefSchema>, { $typeName: string }>;
type ModelInit = Exclude<MessageInitShape<typeof ModelSchema>, { $typeName: string }>;

/** Describes a float32 input or output; text is a symbol. */
export const value = (
  name: string,
  ...shape: (number | string)[]
): MessageInitShape<typeof ValueInfoSchema> => ({
  name,
  type: {
    tensorType: {
      elemType: 1,
      shape: { dim: shape.map((d) => (typeof d === 'number' ? { dimValue: BigInt(d) } : { dimParam: d })) },
    },
  },
});

/** Writes y = Relu(image), image [batch, 3, 4, 4], with the given parts replaced. */
export function onnxFile(graph: GraphInit = {}, model: ModelInit = {}): Uint8Array<ArrayBuffer> {
  return toBinary(
    ModelSchema,
    create(ModelSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 17n }],
      graph: {
        node: [{ opType: 'Relu', name: 'relu', input: ['image'], output: ['y'] }],
        input: [value('image', 'batch', 3, 4, 4)],
        output: [value('y', 'batch', 3, 4, 4)],
        ...graph,
      },
      ...model,
    }),
  );
}

/** Writes a length-delimited field of the wire format: for fields that our schemas lack. */
export function field(number: number, ...contents: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = contents.reduce((n, content) => n + content.length, 0);
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
  const head = [...varint(number * 8 + 2), ...varint(size)];
  const bytes = new Uint8Array(head.length + size);
  let at = 0;
  for (const part of [head, ...contents]) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Reads a file's opset, and the operators of its nodes and of its loops. */
export function contentsOf(bytes: Uint8Array): { opset: number; operators: readonly string[] } {
  const { graph, opsetImport } = fromBinary(ModelSchema, bytes);
  const operatorsOf = (nodes: readonly NodeDef[]): string[] =>
    nodes.flatMap(({ opType, attribute }) => [
      opType!,
      ...attribute.flatMap(({ g }) => (g ? operatorsOf(g.node) : [])),
    ]);
  return { opset: Number(opsetImport[0]!.version), operators: operatorsOf(graph!.node) };
}
