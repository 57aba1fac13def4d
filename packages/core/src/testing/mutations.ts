import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { gradientRules } from '../autodiff/rules/index.ts';
import { type AttributeDef, type Model, ModelSchema, type NodeDef } from '../onnx/generated/onnx_pb.js';
import { shapeRules } from '../onnx/shapes/index.ts';

// Damaged models, for fuzzing: bytes at random, or fields of a model that still parses.

/** Pseudo-random numbers (mulberry32): the same for the same seed, everywhere. */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** A whole number below `n`. */
  below(n: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const joined = (...parts: (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((p) => [...p]));

/** Varints that promise much: 2³¹ - 1, 2³², 2⁶⁴ - 1, one without an end. */
const bombs = [
  [0xff, 0xff, 0xff, 0xff, 0x07],
  [0x80, 0x80, 0x80, 0x80, 0x10],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  Array<number>(12).fill(0xff),
];

const ofBytes: readonly ((bytes: Uint8Array, dice: Dice, other: Uint8Array) => Uint8Array)[] = [
  (bytes, dice) => {
    const flipped = bytes.slice();
    for (let k = dice.below(8); k >= 0; k--) flipped[dice.below(bytes.length)]! ^= 1 << dice.below(8);
    return flipped;
  },
  (bytes, dice) => bytes.with(dice.below(bytes.length), dice.one([0, 1, 0x7f, 0x80, 0xfe, 0xff])),
  (bytes, dice) => bytes.subarray(0, dice.below(bytes.length)),
  (bytes, dice, other) =>
    joined(bytes.subarray(0, dice.below(bytes.length)), other.subarray(dice.below(other.length))),
  (bytes, dice) => {
    const [from, to] = [dice.below(bytes.length), dice.below(bytes.length)];
    return joined(bytes.subarray(0, to), bytes.subarray(Math.min(from, to)));
  },
  (bytes, dice) => {
    const at = dice.below(bytes.length);
    return joined(bytes.subarray(0, at), dice.one(bombs), bytes.subarray(at + dice.below(3)));
  },
];

const sizes = [-(2n ** 63n), -7n, -1n, 0n, 1n, 2n, 3n, 5n, 64n, 4097n, 2n ** 31n, 2n ** 40n, 2n ** 63n - 1n];
const reals = [0, -0, 1, -1, 1e-45, 3.4e38, Number.NaN, Number.POSITIVE_INFINITY];
const ops = [...new Set([...Object.keys(shapeRules), ...Object.keys(gradientRules), 'If', 'Attention'])];
const attributeNames =
  'axis axes perm pads strides dilations group kernel_shape ceil_mode to mode equation alpha epsilon size start end keepdims blocksize num_outputs split'.split(
    ' ',
  );

const ofFields: readonly ((model: Model, dice: Dice) => void)[] = [
  withNode((node, dice) => {
    node.opType = dice.one(ops);
  }),
  withNode((node, dice, names) => {
    node.input[dice.below(node.input.length + 1)] = dice.one([...names, '', 'nowhere']);
  }),
  withNode((node, dice) => {
    node.input.splice(dice.below(node.input.length), 1);
  }),
  withNode((node, dice) => {
    node.output.splice(dice.below(2), dice.below(2), `more${dice.below(9)}`);
  }),
  withNode((node, dice) => {
    node.attribute.splice(dice.below(node.attribute.length), 1);
  }),
  withNode((node, dice) => {
    for (const attribute of node.attribute) damage(attribute, dice);
  }),
  withNode((node, dice) => {
    for (const attribute of node.attribute) attribute.name = dice.one(attributeNames);
  }),
  (model, dice) => {
    for (const { type } of model.graph!.input)
      for (const dim of type?.tensorType?.shape?.dim ?? [])
        if (dice.below(3) === 0) dim.dimValue = dice.one(sizes);
  },
  (model, dice) => {
    const tensor = dice.one(model.graph!.initializer);
    if (!tensor) return;
    const kind = dice.below(3);
    if (kind === 0) tensor.dims[dice.below(tensor.dims.length + 1)] = dice.one(sizes);
    else if (kind === 1) tensor.dataType = dice.below(20);
    else tensor.dims = tensor.dims.toReversed();
  },
  (model, dice) => {
    for (const tensor of model.graph!.initializer)
      if (tensor.dataType === 7 && tensor.rawData?.length)
        tensor.rawData = new Uint8Array(
          BigInt64Array.from({ length: tensor.rawData.length / 8 }, () => dice.one(sizes)).buffer,
        );
  },
  (model, dice) => {
    for (const set of model.opsetImport) set.version = BigInt(7 + dice.below(20));
  },
  (model, dice) => {
    const { node } = model.graph!;
    node.splice(dice.below(node.length), 0, ...node.splice(dice.below(node.length), 1));
  },
];

function withNode(change: (node: NodeDef, dice: Dice, names: readonly string[]) => void) {
  return (model: Model, dice: Dice): void => {
    const { node, initializer, input } = model.graph!;
    const names = [
      ...node.flatMap((n) => n.output),
      ...initializer.map((t) => t.name!),
      ...input.map((i) => i.name!),
    ];
    change(dice.one(node), dice, names);
  };
}

function damage(attribute: AttributeDef, dice: Dice): void {
  if (attribute.i !== undefined) attribute.i = dice.one(sizes);
  if (attribute.f !== undefined) attribute.f = dice.one(reals);
  if (attribute.ints.length > 0)
    attribute.ints = attribute.ints.slice(dice.below(2)).map((v) => (dice.below(3) ? v : dice.one(sizes)));
  if (dice.below(9) === 0) attribute.type = dice.below(15);
}

/** One of the models, damaged as the seed has it. */
export function damaged(models: readonly Uint8Array[], seed: number): Uint8Array {
  const dice = new Dice(seed);
  const bytes = dice.one(models);
  if (dice.below(3) === 0) return dice.one(ofBytes)(bytes, dice, dice.one(models));
  const model = fromBinary(ModelSchema, bytes);
  for (let k = dice.below(3); k >= 0; k--) dice.one(ofFields)(model, dice);
  return toBinary(ModelSchema, model);
}
