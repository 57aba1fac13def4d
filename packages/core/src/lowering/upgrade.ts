import { InputError } from '../errors.ts';
import type { Value } from '../onnx/builder.ts';
import { reshape } from '../onnx/emit.ts';
import { int, ints, type Node, real, text } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { getOwn } from '../own.ts';
import { sizeOf } from '../tensor.ts';
import { attention } from './attention.ts';
import { flattenedSoftmax } from './flattened-softmax.ts';
import { gathers } from './gathers.ts';
import { gridSample } from './grid-sample.ts';
import { microsoft } from './microsoft/index.ts';
import { spellPads, without } from './pads.ts';
import { quantized } from './quantized.ts';
import { keep, type Upgrade } from './upgraded.ts';
import { sliceBesideBatch } from './whole-batch.ts';

const alias: Upgrade = (_, node) => ({ alias: node.inputs[0]! });

/** Turns attributes into inputs, as later opsets did, in the order of those inputs. */
const inputsFromInts =
  (...names: string[]): Upgrade =>
  (g, node) => {
    if (node.inputs.length > 1 || names.every((name) => ints(node, name) === undefined)) return keep(node);
    const added = names.map((name) => {
      const values = ints(node, name);
      return values ? g.ints(values) : '';
    });
    while (added.at(-1) === '') added.pop();
    return keep({
      ...node,
      inputs: [node.inputs[0]!, ...added],
      attributes: without(node.attributes, ...names),
    });
  };

const upgrades: Readonly<Record<string, Upgrade>> = {
  ...gathers,
  ...quantized,
  ...microsoft,
  Attention: attention,
  GridSample: gridSample,
  Identity: alias,
  Dropout: alias,
  Squeeze: inputsFromInts('axes'),
  Unsqueeze: inputsFromInts('axes'),
  Split: (g, node, opset) =>
    node.outputs.length === 1 ? alias(g, node, opset) : inputsFromInts('split')(g, node, opset),
  Concat: (g, node, opset) => (node.inputs.length === 1 ? alias(g, node, opset) : keep(node)),
  Slice(g, node, opset) {
    const upgraded = inputsFromInts('starts', 'ends', 'axes')(g, node, opset);
    return 'nodes' in upgraded ? sliceBesideBatch(g, upgraded.nodes[0]!) : upgraded;
  },
  ...Object.fromEntries(
    ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'].map((kind) => [
      `Reduce${kind}`,
      inputsFromInts('axes'),
    ]),
  ),
  Conv: spellPads,
  MaxPool: (g, node, opset) => {
    const unasked = !node.outputs[1]; // how indices are counted matters to nobody
    return spellPads(
      g,
      unasked ? { ...node, attributes: without(node.attributes, 'storage_order') } : node,
      opset,
    );
  },
  AveragePool: spellPads,
  Scatter: (_, node) => keep({ ...node, op: 'ScatterElements' }),
  Softmax: flattenedSoftmax,
  LogSoftmax: flattenedSoftmax,
  Clip(g, node) {
    if (node.attributes.min === undefined && node.attributes.max === undefined) return keep(node);
    const bound = (name: string) =>
      getOwn(node.attributes, name) === undefined ? '' : g.scalar(real(node, name, 0));
    return keep({ ...node, inputs: [node.inputs[0]!, bound('min'), bound('max')], attributes: {} });
  },
  Pad(g, node) {
    const pads = ints(node, 'pads');
    if (!pads) return keep(node);
    const inputs = [node.inputs[0]!, g.ints(pads), g.scalar(real(node, 'value', 0))];
    return keep({ ...node, inputs, attributes: without(node.attributes, 'pads', 'value') });
  },
  BatchNormalization(g, node) {
    const [x, scale, bias] = node.inputs as [Value, Value, Value];
    const training = int(node, 'training_mode', 0) === 1;
    // Exporters normalize weights by this operator, as a batch of size 1.
    if (training && !g.dependsOnInputs(x) && g.knows(x) && g.shape(x)[0] === 1) {
      const { epsilon } = node.attributes;
      const attributes = epsilon === undefined ? {} : { epsilon };
      const outputs = node.outputs.slice(0, 1);
      return keep({ ...node, op: 'InstanceNormalization', inputs: [x, scale, bias], outputs, attributes });
    }
    if (training)
      throw new InputError(
        'invalid_model',
        `node ${quoted(node.name)} (BatchNormalization) is in training mode; export the model for inference`,
      );
    const epsilon = node.attributes.epsilon;
    return keep({
      ...node,
      outputs: node.outputs.slice(0, 1),
      attributes: epsilon === undefined ? {} : { epsilon },
    });
  },
  /** Before opset 21 scale and bias were per group, as in an instance normalisation over groups. */
  GroupNormalization(g, node, opset) {
    if (opset >= 21) return keep(node);
    const [x, scale, bias] = node.inputs as [Value, Value, Value];
    const shape = g.shape(x);
    const groups = int(node, 'num_groups', 1);
    const grouped = reshape(g, x, [shape[0]!, groups, sizeOf(shape.slice(1)) / groups]);
    const { epsilon } = node.attributes;
    const normal = g.emit(
      'InstanceNormalization',
      [grouped, scale, bias],
      epsilon === undefined ? {} : { epsilon },
    );
    return keep({ ...node, op: 'Reshape', inputs: [normal, g.emit('Shape', [x])], attributes: {} });
  },
  /** Makes Upsample (7 to 9) a Resize as of opset 10: no half-pixel centres. */
  Upsample(g, node) {
    const attribute = node.attributes.scales;
    const scales =
      typeof attribute === 'object' && 'floats' in attribute
        ? g.floats([attribute.floats.length], attribute.floats)
        : node.inputs[1]!;
    return keep(asymmetricResize(node, scales));
  },
  Resize: (_, node, opset) => keep(opset < 11 ? asymmetricResize(node, node.inputs[1]!) : node),
};

const asymmetricResize = (node: Node, scales: Value): Node => ({
  ...node,
  op: 'Resize',
  inputs: [node.inputs[0]!, '', scales],
  attributes: {
    mode: text(node, 'mode', 'nearest'),
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  },
});

/** Raises a node of the file's opset to the canonical dialect (see `Graph`), and writes implied defaults. */
export const upgrade: Upgrade = (g, node, opset) => getOwn(upgrades, node.op)?.(g, node, opset) ?? keep(node);
