import { between } from '../autodiff/path.ts';
import { InputError } from '../errors.ts';
import type { Classifier, Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import { ints, type Node } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import type { Operator } from '../operators/operator.ts';
import { operators } from '../operators/table.ts';
import { beforeLastAttention, seesPrefixOnly } from './class-token.ts';
import type { Form } from './form.ts';

/** Values of the network that are a feature map, whatever their layout. */
export interface Layer {
  readonly name: Value;
  /** [channels, height, width] of the map */
  readonly shape: readonly number[];
  readonly form: Form;
}

/** Whether an operator makes tokens, or a map whose channels come last; what only moves values about is no layer. */
const computes = ({ elementwise, weights, normalises }: Operator): boolean =>
  elementwise || weights !== null || normalises;
/** Tokens before those of the patches: a class token, a distillation token, registers. */
const mostPrefixes = 8;

/**
 * Feature maps with h·w > 1 on the way from the image to the scores, in order: [N, C, h, w], and in transformers
 * [N, h, w, C] and tokens [N, T, C] of a grid that is known from the network's patches.
 */
export function layersOf({ g, image, logits }: Pick<Network, 'g' | 'image' | 'logits'>): Layer[] {
  const [rows] = g.shape(image);
  const maps = new Map<Value, Layer>();
  const grids: (readonly number[])[] = [];
  const add = (name: Value, shape: readonly number[], form: Form) => maps.set(name, { name, shape, form });
  for (const node of between(g, [image], [logits]).nodes) {
    const operator = operators[node.op];
    const isMap =
      operator.map === 'makes' ||
      turnsBack(node, maps) ||
      (operator.map === 'keeps' && node.inputs.some((input) => maps.get(input)?.form.axes === 'CHW'));
    for (const output of node.outputs) {
      const shape = output !== '' && g.knows(output) ? g.shape(output) : [];
      const [batch, ...rest] = shape;
      if (batch === undefined || rest.some((d) => d <= 0)) continue;
      if (isMap) {
        const [, h, w] = rest;
        if (rest.length !== 3 || h! * w! <= 1) continue;
        if (operator.map === 'makes') grids.push(...halvings(h!, w!));
        add(output, rest, { axes: 'CHW', prefix: 0 });
      } else if (batch === rows && computes(operator) && g.reserved.has(output)) {
        const found = otherwise(rest, grids);
        if (found) add(output, found.shape, found.form);
      }
    }
  }
  // What reading made up has no name that a user could know; whole numbers stand for the real ones after them.
  return [...maps.values()].filter(({ name }) => g.reserved.has(name) && isFloat(g.dtype(name)));
}

/** [N, h, w, C] or [N, T, C] on a grid that patches lie on. */
function otherwise(shape: readonly number[], grids: readonly (readonly number[])[]) {
  if (shape.length === 3) {
    const [h, w, channels] = shape as [number, number, number];
    return grids.some((grid) => grid[0] === h && grid[1] === w)
      ? { shape: [channels, h, w], form: { axes: 'HWC', prefix: 0 } as const }
      : undefined;
  }
  if (shape.length !== 2) return undefined;
  const [tokens, channels] = shape as [number, number];
  const prefixOf = ([h, w]: readonly number[]) => tokens - h! * w!;
  const fitting = grids.filter((grid) => prefixOf(grid) >= 0 && prefixOf(grid) <= mostPrefixes);
  const grid = fitting.toSorted((a, b) => prefixOf(a) - prefixOf(b))[0];
  return grid && { shape: [channels, ...grid], form: { axes: 'TC', prefix: prefixOf(grid) } as const };
}

/** The grid of patches, and what merging two by two makes of it. */
function halvings(h: number, w: number): (readonly number[])[] {
  const grids = [[h, w]];
  while (h * w > 4) {
    [h, w] = [Math.ceil(h / 2), Math.ceil(w / 2)];
    grids.push([h, w]);
  }
  return grids;
}

/** A Transpose that brings the channels of [N, h, w, C] to the front. */
const turnsBack = (node: Node, maps: ReadonlyMap<Value, Layer>): boolean =>
  node.op === 'Transpose' &&
  maps.get(node.inputs[0]!)?.form.axes === 'HWC' &&
  ints(node, 'perm')?.join() === '0,3,1,2';

/**
 * The layers to look at: those asked for, by tensor name or by index from the end (`-1`), or, if none is, the one
 * that is found.
 */
export function chooseLayers(network: Network, asked: readonly string[], convention: string): Layer[] {
  const layers = layersOf(network);
  if (asked.length === 0) return [found(network, layers, convention)];
  return asked.map((name) => {
    if (/^-\d+$/.test(name)) {
      const counted = layers.at(Number(name));
      if (counted) return counted;
    }
    const value = network.resolve(name);
    const named = layers.find((layer) => layer.name === value);
    if (named) return named;
    throw new InputError('invalid_parameter', `layer ${quoted(name)}: ${missing(network.g, value, layers)}`);
  });
}

/** Why a value is no layer, and which layers there are. */
function missing(g: GraphBuilder, value: Value, layers: readonly Layer[]): string {
  const whole = g.nodes.find((node) => node.spelling?.nodes.some(({ outputs }) => outputs.includes(value)));
  if (whole) return `it is a part of ${whole.op}; ask for the result of that, ${quoted(whole.outputs[0]!)}`;
  const near = layers.slice(-3).map((layer) => quoted(layer.name));
  return `the model has no feature map of that name; among the last are ${near.join(', ')}`;
}

/**
 * The names of the file by which each layer can be asked for, last first: its own before those that reading has found
 * to be the same value.
 */
export function layerNames({ file, inline, inputShape }: Classifier): string[][] {
  const network = inline((g) => g.input('image', 'float32', [-1, ...inputShape]));
  const names = new Map(
    layersOf(network)
      .toReversed()
      .map(({ name }) => [name, [name]]),
  );
  for (const { outputs } of file.graph.nodes)
    for (const output of outputs) {
      const known = names.get(network.resolve(output));
      if (known && !known.includes(output)) known.push(output);
    }
  return [...names.values()];
}

/**
 * The layer that stands for the network. torchcam: the last whose value has four axes and a place beside the first,
 * an average pool to 7×7 included. Else the last before the network pools; where a class token is all that is read in
 * the end, and the patches' own values there lead nowhere, the last that the last attention takes.
 */
function found(network: Network, layers: readonly Layer[], convention: string): Layer {
  const last =
    (convention === 'torchcam' && layers.findLast(({ form }) => form.axes !== 'TC')) || layers.at(-1);
  if (!last)
    throw new InputError(
      'method_not_supported',
      'the model has no feature map [N, C, h, w] between image and scores; choose a method without layers',
    );
  if (convention === 'torchcam') return last;
  if (last.form.axes === 'TC' && seesPrefixOnly(network, last.name, last.form.prefix))
    return beforeLastAttention(network, layers, last) ?? last;
  return beforePooling(network.g, layers, last);
}

/** The input of average pools that a layer ends in. */
function beforePooling(g: GraphBuilder, layers: readonly Layer[], layer: Layer): Layer {
  const maker = g.nodes.find((node) => node.outputs.includes(layer.name));
  const before = maker?.op === 'AveragePool' && layers.find(({ name }) => name === maker.inputs[0]);
  return before ? beforePooling(g, layers, before) : layer;
}
