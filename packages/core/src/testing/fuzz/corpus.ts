import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { readClassifier } from '../../model/classifier.ts';
import {
  type GraphDef,
  type GraphDefSchema,
  ModelSchema,
  NodeDefSchema,
  type TensorDef,
  TensorDefSchema,
  type ValueInfoSchema,
} from '../../onnx/generated/onnx_pb.js';
import { fusedNetworks } from '../fused-networks.ts';
import { menagerie } from '../menagerie.ts';
import { outcomeOf } from '../outcome.ts';

// The models to damage: real networks cut to a few nodes, without weights, so that each input takes a millisecond.

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const folders = [
  here('../../../../../models/shapes'),
  join(process.env.WHYLIGHT_SHARED ?? here('../../../../../../shared'), 'models'),
];

/** Collects pieces of every available network that can be explained undamaged, and the networks of the core's tests. */
export function corpus(): Uint8Array[] {
  const pieces = folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.onnx'))
      .flatMap((name) => piecesOf(new Uint8Array(readFileSync(join(folder, name))))),
  );
  return [
    ...menagerie(),
    ...fusedNetworks(),
    ...pieces.filter((piece) => outcomeOf(piece, 0) === 'explained'),
  ];
}

/** Cuts out beginnings and ends of a network, of a few lengths. */
function piecesOf(bytes: Uint8Array): Uint8Array[] {
  const { input, inputShape, inline } = readClassifier(bytes);
  const network = inline((g) => g.input(input.name, 'float32', [-1, ...inputShape]));
  const shapeOf = (name: string) => {
    const value = network.resolve(name);
    return network.g.knows(value) ? network.g.shape(value) : [];
  };
  const { graph, opsetImport } = fromBinary(ModelSchema, bytes);
  return [6, 12, 24]
    .flatMap((length) => [beginning(graph!, length, shapeOf), ending(graph!, length, shapeOf)])
    .filter((piece) => piece !== undefined)
    .map((piece) =>
      toBinary(ModelSchema, create(ModelSchema, { irVersion: 8n, opsetImport, graph: emptied(piece) })),
    );
}

type ShapeOf = (name: string) => readonly number[];
type Piece = Pick<GraphDef, 'node' | 'initializer'> & {
  readonly input: MessageInitShape<typeof ValueInfoSchema>[];
  readonly output: MessageInitShape<typeof ValueInfoSchema>[];
};

/** Returns the first nodes, and a node that averages their output to [N, C]. */
function beginning(graph: GraphDef, length: number, shapeOf: ShapeOf): Piece | undefined {
  const node = graph.node.slice(0, length);
  const last = node.at(-1)!.output[0]!;
  const axes = { 3: [1n], 4: [2n, 3n] }[shapeOf(last).length];
  if (!axes) return undefined;
  const head = create(NodeDefSchema, {
    opType: 'ReduceMean',
    name: 'head',
    input: [last],
    output: ['scores'],
    attribute: [
      { name: 'axes', type: 7, ints: axes },
      { name: 'keepdims', type: 2, i: 0n },
    ],
  });
  return {
    node: [...node, head],
    initializer: graph.initializer,
    input: graph.input,
    output: [{ name: 'scores' }],
  };
}

/** Returns the nodes after a feature map [C, h, w], which becomes the image: at most the last `length` nodes. */
function ending(graph: GraphDef, length: number, shapeOf: ShapeOf): Piece | undefined {
  for (let at = Math.max(graph.node.length - length, 1); at < graph.node.length; at++) {
    const name = graph.node[at - 1]!.output[0]!;
    const node = graph.node.slice(at);
    const made = new Set([
      name,
      '',
      ...node.flatMap((n) => n.output),
      ...graph.initializer.map((t) => t.name!),
    ]);
    if (shapeOf(name).length !== 4 || !node.every((n) => n.input.every((i) => made.has(i)))) continue;
    const dim = shapeOf(name).map((d) => (d < 0 ? { dimParam: 'batch' } : { dimValue: BigInt(d) }));
    const image = { name, type: { tensorType: { elemType: 1, shape: { dim } } } };
    return { node, initializer: graph.initializer, input: [image], output: graph.output };
  }
  return undefined;
}

/** Removes the weights that a piece does not use, and expands its large weights from a single zero. */
function emptied({ node, initializer, input, output }: Piece): MessageInitShape<typeof GraphDefSchema> {
  const used = new Set(node.flatMap((n) => n.input));
  const weights = initializer.filter(({ name }) => used.has(name!));
  const large = weights.filter(({ rawData }) => (rawData?.length ?? 0) > 256);
  return {
    node: [...large.map(tiled), ...node],
    initializer: [...weights.filter((tensor) => !large.includes(tensor)), ...large.flatMap(zero)],
    input: input.filter(({ name }) => !weights.some((tensor) => tensor.name === name)),
    output,
  };
}

const tiled = ({ name }: TensorDef) =>
  create(NodeDefSchema, {
    opType: 'Tile',
    name: `weights ${name}`,
    input: [`${name} zero`, `${name} shape`],
    output: [name!],
  });

function zero({ name, dims, dataType, rawData }: TensorDef): TensorDef[] {
  const width = rawData!.length / dims.reduce((a, b) => a * Number(b), 1);
  const ones = dims.map(() => 1n);
  const rank = BigInt(dims.length);
  return [
    create(TensorDefSchema, {
      name: `${name} zero`,
      dims: ones,
      dataType: dataType!,
      rawData: new Uint8Array(width),
    }),
    create(TensorDefSchema, { name: `${name} shape`, dims: [rank], dataType: 7, int64Data: dims }),
  ];
}
