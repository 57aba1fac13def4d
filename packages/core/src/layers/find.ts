import { between } from '../autodiff/path.ts';
import { InputError } from '../errors.ts';
import type { Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import type { Node } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { operators } from '../operators/table.ts';
import { encoderEnd } from './encoder.ts';
import { type Layer, layersOf } from './layers.ts';
import { type PlacesOf, placesIn } from './places.ts';
import { type ReachedOf, reachedIn } from './reach.ts';
import { besideOf, reachOf } from './reached-places.ts';

/** The layers of a network, and what of its values reaches the scores. */
export interface Surveyed {
  readonly layers: readonly Layer[];
  readonly places: PlacesOf;
  readonly reached: ReachedOf;
  /** The layer that was found under a convention. */
  readonly found: Map<string, Layer>;
}

interface Kept {
  readonly nodes: number;
  readonly logits: Value;
  readonly surveyed: Surveyed;
}

const surveys = new WeakMap<GraphBuilder, Kept>();

/** Once for each graph, as long as it does not grow. */
export function surveyOf(network: Network): Surveyed {
  const { g, logits } = network;
  const known = surveys.get(g);
  if (known?.nodes === g.nodes.length && known.logits === logits) return known.surveyed;
  const places = placesIn(network);
  const surveyed: Surveyed = {
    layers: layersOf(network, places),
    places,
    reached: reachedIn(network),
    found: new Map(),
  };
  surveys.set(g, { nodes: g.nodes.length, logits, surveyed });
  return surveyed;
}

/** Whether every place of a layer reaches the scores, each where it is in the image. */
export const isWhole = (layer: Layer, reached: ReachedOf): boolean =>
  !layer.scattered && reachOf(layer, reached).lost === 0;

/**
 * The layer that stands for the network. torchcam: the last whose value has four axes and a place beside the first,
 * an average pool to 7×7 included. Else the last of which every place reaches the scores, before the network pools;
 * queries, keys and values of an attention count as what they are made of. Where a map is explained and no classes: the
 * encoder's end.
 */
export function foundLayer(network: Network, convention: string): Layer {
  const { found } = surveyOf(network);
  const known = found.get(convention) ?? findLayer(network, convention);
  found.set(convention, known);
  return known;
}

function findLayer(network: Network, convention: string): Layer {
  const survey = surveyOf(network);
  const { layers, places, reached } = survey;
  const end = network.ofMap ? encoderEnd(network.g, layers) : undefined;
  if (end) return end;
  const last =
    (convention === 'torchcam' && layers.findLast(({ form }) => /^(CHW|HWC)$/.test(form.axes))) ||
    layers.at(-1);
  if (!last)
    throw new InputError(
      'method_not_supported',
      severalViews(network, places) ??
        'the model has no feature map [N, C, h, w] between image and scores; use a method that needs no layer, such as integrated-gradients',
    );
  if (convention === 'torchcam') return last;
  const whole = layers.filter((layer) => isWhole(layer, reached));
  const found = whole.at(-1) ?? mostReached(layers, reached);
  const passed = ({ name }: Layer) => besideOf(network, name, survey).some(({ kind }) => kind !== 'tokens');
  if (/T/.test(found.form.axes))
    return found === last && !passed(found) ? found : sourceOf(network, found, whole);
  // Of branches whose ends are not seen to their borders, what they were made of.
  const stands = found === last ? found : (whole.findLast((layer) => !passed(layer)) ?? found);
  return beforePooling(network.g, whole, stands);
}

/** Where no layer reaches the scores with all of its places: of those that do with most, the last. */
function mostReached(layers: readonly Layer[], reached: ReachedOf): Layer {
  const shareOf = (layer: Layer) => {
    const { places, lost } = reachOf(layer, reached);
    return 1 - lost / places;
  };
  return layers.reduce((best, layer) => (shareOf(layer) >= shareOf(best) ? layer : best));
}

/** Why a model that has maps has none with a row for each image: it lays several views of it into one batch. */
function severalViews({ g, image, logits }: Network, places: PlacesOf): string | undefined {
  const [rows] = g.shape(image) as [number];
  const several = between(g, [image], [logits]).nodes.find(({ op, outputs }) => {
    const [value] = outputs as [Value];
    return operators[op].map === 'makes' && places.has(value) && g.shape(value)[0] !== rows;
  });
  return (
    several &&
    `the model looks at several views of each image at once: ${quoted(several.outputs[0]!)} has ${Math.abs(g.shape(several.outputs[0]!)[0]! / rows)} maps for each; use a method that needs no layer, such as integrated-gradients`
  );
}

/** The input of average pools that a layer ends in. */
function beforePooling(g: GraphBuilder, layers: readonly Layer[], layer: Layer): Layer {
  const maker = g.maker(layer.name);
  const before = maker?.op === 'AveragePool' && layers.find(({ name }) => name === maker.inputs[0]);
  return before ? beforePooling(g, layers, before) : layer;
}

/** The earliest of `layers` of which a layer is made place by place, by what is linear. */
function sourceOf({ g, image, logits }: Network, layer: Layer, layers: readonly Layer[]): Layer {
  const { moving } = between(g, [image], [logits]);
  let source = layer;
  for (let value: Value | undefined = layer.name; value !== undefined; ) {
    const node: Node | undefined = g.maker(value);
    const data: Value[] = node?.inputs.filter((input) => moving.has(input)) ?? [];
    if (!node || data.length !== 1 || !isProjection(g, node)) return source;
    value = data[0]!;
    source = layers.find(({ name }) => name === value) ?? source;
  }
  return source;
}

/** Whether a node of one input makes each place of that place alone, linearly or by rounding. */
function isProjection(g: GraphBuilder, node: Node): boolean {
  const { linear, elementwise, movement, weights, picks } = operators[node.op];
  if (movement === 'view' || node.op === 'Transpose' || (picks && node.op !== 'Pad')) return true;
  if (elementwise) return linear !== 'no' || !isFloat(g.dtype(node.outputs[0]!));
  if (weights === null) return false;
  return (
    operators[node.op].window === null ||
    g
      .shape(node.inputs[weights]!)
      .slice(2)
      .every((k) => k === 1)
  );
}
