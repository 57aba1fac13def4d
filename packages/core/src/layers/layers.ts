import { between } from '../autodiff/path.ts';
import type { Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import { ints, type Node } from '../onnx/graph.ts';
import type { Operator } from '../operators/operator.ts';
import { operators } from '../operators/table.ts';
import { type PlacesOf, placesIn } from './places.ts';
import { type View, viewOf } from './view.ts';

/** A value of the network that is a feature map, whatever its layout. */
export interface Layer extends View {
  readonly name: Value;
}

/** Whether an operator makes tokens, or a map with its channels last; an operator that only moves values does not. */
const computes = ({ elementwise, weights, normalises }: Operator): boolean =>
  elementwise || weights !== null || normalises;

/** The form of a map [N, C, h, w] about which nothing more is known. */
const plain = { axes: 'CHW', prefix: 0 } as const;

/**
 * Finds the feature maps with h·w > 1 on the way from the image to the scores, in order: outputs of convolutions and of
 * operators that keep a map, and values [N, h, w, C] or tokens made from values whose places in the image are known.
 */
export function layersOf(
  network: Pick<Network, 'g' | 'image' | 'logits'>,
  places: PlacesOf = placesIn(network),
): Layer[] {
  const { g, image, logits } = network;
  const [batch] = g.shape(image);
  const maps = new Map<Value, Layer>();
  const seen = (output: Value) => {
    const known = places.get(output);
    return known && viewOf(g, output, known, image);
  };
  for (const node of between(g, [image], [logits]).nodes) {
    const operator = operators[node.op];
    const isMap =
      operator.map === 'makes' ||
      turnsBack(node, maps) ||
      (operator.map === 'keeps' && node.inputs.some((input) => maps.get(input)?.form.axes === 'CHW'));
    for (const output of node.outputs) {
      const shape = output !== '' && g.knows(output) ? g.shape(output) : [];
      if (isMap) {
        const [, h, w] = shape.slice(1);
        if (shape.length !== 4 || shape[0] !== batch || shape.slice(1).some((d) => d <= 0) || h! * w! <= 1)
          continue;
        const view = seen(output);
        maps.set(output, {
          name: output,
          ...(view?.form.axes === 'CHW' ? view : { shape: shape.slice(1), form: plain }),
        });
      } else if (g.reserved.has(output) && shape.includes(batch!)) {
        const view = computes(operator) || ofWindows(g, node, places, image) ? seen(output) : undefined;
        if (view && (computes(operator) || !/T/.test(view.form.axes)))
          maps.set(output, { name: output, ...view });
      }
    }
  }
  // A user cannot know names that were made up while reading; whole numbers are represented by the floats after them.
  return [...maps.values()].filter(({ name }) => g.reserved.has(name) && isFloat(g.dtype(name)));
}

/** Whether a node only moves values that lie in no known form, such as windows of a map: its output may be a map. */
function ofWindows(g: GraphBuilder, node: Node, places: PlacesOf, image: Value): boolean {
  const [data] = node.inputs as [Value];
  const known = operators[node.op].movement === 'no' ? undefined : places.get(data);
  return known !== undefined && viewOf(g, data, known, image) === undefined;
}

/** Whether a node is a Transpose that brings the channels of [N, h, w, C] to the front. */
const turnsBack = (node: Node, maps: ReadonlyMap<Value, Layer>): boolean =>
  node.op === 'Transpose' &&
  maps.get(node.inputs[0]!)?.form.axes === 'HWC' &&
  ints(node, 'perm')?.join() === '0,3,1,2';
