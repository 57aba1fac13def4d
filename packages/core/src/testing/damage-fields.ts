import { create } from '@bufbuild/protobuf';
import {
  type AttributeDef,
  AttributeDefSchema,
  EntrySchema,
  FunctionSchema,
  type Model,
  type NodeDef,
  NodeDefSchema,
  OperatorSetSchema,
  SparseTensorSchema,
  type TensorDef,
} from '../onnx/generated/onnx_pb.js';
import { operatorsThat } from '../operators/table.ts';
import type { Dice } from './dice.ts';

// Damage to the fields of a model, which still parses.

type Damage = (model: Model, dice: Dice, other: Model) => void;

const sizes = [-(2n ** 63n), -7n, -1n, 0n, 1n, 2n, 3n, 5n, 64n, 4097n, 2n ** 31n, 2n ** 40n, 2n ** 63n - 1n];
const reals = [0, -0, 1, -1, 1e-45, 3.4e38, Number.NaN, Number.POSITIVE_INFINITY];
const ops = [...operatorsThat(({ shape, vjp }) => shape !== null || vjp !== null), 'If', 'Loop', 'Attention'];
const attributeNames =
  'axis axes perm pads strides dilations group kernel_shape ceil_mode to mode equation alpha epsilon size start end keepdims blocksize num_outputs split'.split(
    ' ',
  );
const names = [
  '',
  'a\nb',
  '\u001b[31mred',
  'x\u202etxt',
  '../../etc/passwd',
  'constructor',
  '__proto__',
  'n'.repeat(5000),
];

const namesOf = ({ node, initializer, input }: NonNullable<Model['graph']>): string[] => [
  ...node.flatMap((n) => n.output),
  ...initializer.map((t) => t.name!),
  ...input.map((i) => i.name!),
];

const onNode =
  (change: (node: NodeDef, dice: Dice, values: readonly string[]) => void): Damage =>
  (model, dice) => {
    if (model.graph!.node.length > 0) change(dice.one(model.graph!.node), dice, namesOf(model.graph!));
  };

const onWeight =
  (change: (tensor: TensorDef, dice: Dice) => void): Damage =>
  (model, dice) => {
    if (model.graph!.initializer.length > 0) change(dice.one(model.graph!.initializer), dice);
  };

/** Damage after which the model still looks like a network. */
const plausible: readonly Damage[] = [
  onNode((node, dice) => {
    node.opType = dice.one(ops);
  }),
  onNode((node, dice, values) => {
    node.input[dice.below(node.input.length + 1)] = dice.one([...values, '', 'nowhere']);
  }),
  onNode((node, dice) => {
    node.input.splice(dice.below(node.input.length), 1);
  }),
  onNode((node, dice) => {
    node.output.splice(dice.below(2), dice.below(2), `more${dice.below(9)}`);
  }),
  onNode((node, dice) => {
    node.attribute.splice(dice.below(node.attribute.length), 1);
  }),
  onNode((node, dice) => {
    for (const attribute of node.attribute) damage(attribute, dice);
  }),
  onNode((node, dice) => {
    for (const attribute of node.attribute.slice(dice.below(3))) attribute.name = dice.one(attributeNames);
  }),
  onNode((node, dice) => {
    node.attribute.push(
      create(AttributeDefSchema, {
        name: dice.one(attributeNames),
        type: 7,
        ints: [dice.one(sizes), dice.one(sizes)],
      }),
    );
  }),
  (model, dice) => {
    for (const { type } of model.graph!.input)
      for (const dim of type?.tensorType?.shape?.dim ?? [])
        if (dice.below(3) === 0) dim.dimValue = dice.one(sizes);
  },
  onWeight((tensor, dice) => {
    const kind = dice.below(3);
    if (kind === 0) tensor.dims[dice.below(tensor.dims.length + 1)] = dice.one(sizes);
    else if (kind === 1) tensor.dataType = dice.below(20);
    else tensor.dims = tensor.dims.toReversed();
  }),
  (model, dice) => {
    for (const tensor of model.graph!.initializer)
      if (tensor.dataType === 7) {
        const count = tensor.rawData?.length ? tensor.rawData.length / 8 : tensor.int64Data.length;
        tensor.rawData = new Uint8Array();
        tensor.int64Data = Array.from({ length: count }, () => dice.one(sizes));
      }
  },
  (model, dice) => {
    for (const set of model.opsetImport) set.version = BigInt(7 + dice.below(20));
  },
  (model, dice) => {
    const { node } = model.graph!;
    node.splice(dice.below(node.length), 0, ...node.splice(dice.below(node.length), 1));
  },
  // Inserts a node of any operator over any values; its output replaces about half of the next node's inputs.
  (model, dice) => {
    const { node } = model.graph!;
    const at = dice.below(node.length);
    const before = namesOf({ ...model.graph!, node: node.slice(0, at) });
    const input = Array.from({ length: 1 + dice.below(3) }, () => dice.one(before));
    const made = create(NodeDefSchema, {
      opType: dice.one(ops),
      name: 'inserted',
      input,
      output: ['inserted'],
    });
    node[at]!.input = node[at]!.input.map((value) => (dice.below(2) === 0 ? 'inserted' : value));
    node.splice(at, 0, made);
  },
  // Repeats a node many times, each copy on the output of the copy before.
  (model, dice) => {
    const { node } = model.graph!;
    const repeated = dice.one(node)!;
    if (repeated.input.length === 0) return;
    const last = repeated.output[0]!;
    const chain = Array.from({ length: dice.below(40) }, (_, i) => ({
      ...repeated,
      input: repeated.input.with(0, i === 0 ? last : `${last} ${i - 1}`),
      output: [`${last} ${i}`],
    }));
    if (chain.length === 0) return;
    for (const user of node)
      user.input = user.input.map((v) => (v === last ? `${last} ${chain.length - 1}` : v));
    node.splice(node.indexOf(repeated) + 1, 0, ...chain);
  },
  // Adds nodes of another model.
  (model, dice, other) => {
    const { node } = model.graph!;
    node.splice(dice.below(node.length), 0, ...other.graph!.node.slice(dice.below(5), 5 + dice.below(5)));
    model.graph!.initializer.push(...other.graph!.initializer);
  },
];

/** Damage that must be refused, or shown with care. */
const malicious: readonly Damage[] = [
  onWeight((tensor) => {
    tensor.dataLocation = 1;
  }),
  onNode((node) => {
    const t = {
      dims: [1n],
      dataType: 1,
      externalData: [create(EntrySchema, { key: 'location', value: '/etc/passwd' })],
    };
    node.attribute.push(create(AttributeDefSchema, { name: 'value', type: 4, t }));
  }),
  onNode((node) => {
    node.attribute.push(
      create(AttributeDefSchema, { name: 'body', type: 5, g: { node: [{ opType: 'Relu' }] } }),
    );
  }),
  onNode((node, dice) => {
    node.domain = dice.one(['com.microsoft', 'ai.onnx', 'ai.onnx.ml', '\n']);
  }),
  onNode((node, dice) => {
    node.name = dice.one(names);
    node.output[0] = dice.one(names);
  }),
  onNode((node, dice) => {
    node.opType = dice.one([...names, 'Relu\n', 'toString', 'Constructor']);
  }),
  onNode((node) => {
    node.attribute.push(...node.attribute);
  }),
  (model, dice) => {
    const { node } = model.graph!;
    node.push(dice.one(node)!);
  },
  (model) => {
    model.graph!.initializer.push(...model.graph!.initializer);
  },
  (model, dice) => {
    model.graph!.input.push(...model.graph!.input);
    for (const input of model.graph!.input) if (dice.below(2) === 0) input.name = dice.one(names);
  },
  (model, dice) => {
    model.functions.push(create(FunctionSchema, { name: dice.one(names), domain: 'local' }));
  },
  (model) => {
    model.graph!.sparseInitializer.push(create(SparseTensorSchema));
  },
  (model, dice) => {
    model.opsetImport.push(
      create(OperatorSetSchema, { domain: dice.one(['', 'ai.onnx', 'x']), version: dice.one(sizes) }),
    );
  },
  (model, dice) => {
    model.graph!.output[0]!.name = dice.one([...namesOf(model.graph!), ...names]);
  },
];

function damage(attribute: AttributeDef, dice: Dice): void {
  if (attribute.i !== undefined) attribute.i = dice.one(sizes);
  if (attribute.f !== undefined) attribute.f = dice.one(reals);
  if (attribute.ints.length > 0)
    attribute.ints = attribute.ints.slice(dice.below(2)).map((v) => (dice.below(3) ? v : dice.one(sizes)));
  if (attribute.s?.length) attribute.s = new TextEncoder().encode(dice.one([...names, 'Relu', 'Clip', '']));
  if (attribute.floats.length > 0)
    attribute.floats = attribute.floats.slice(dice.below(2)).map(() => dice.one(reals));
  if (attribute.t) attribute.t.dims = [dice.one(sizes)];
  if (dice.below(9) === 0) attribute.type = dice.below(15);
}

/** Damages one to three things; most of the results still look like a network. */
export function damageFields(model: Model, dice: Dice, other: Model): void {
  if (dice.below(5) === 0) dice.one(malicious)(model, dice, other);
  else for (let k = dice.below(3); k >= 0; k--) dice.one(plausible)(model, dice, other);
}
