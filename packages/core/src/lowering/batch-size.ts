import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { int, type Node } from '../onnx/graph.ts';

/**
 * Makes a Shape read the batch size from the images instead of from a value computed from them. If a network runs from
 * a layer on, nothing before the layer has to be computed to know the number of images.
 */
export function sizeOffImages(g: GraphBuilder, node: Node, images: Value): Node | undefined {
  const [x] = node.inputs as [Value];
  if (node.op !== 'Shape' || !g.knows(x)) return undefined;
  const end = int(node, 'end', Number.POSITIVE_INFINITY);
  const sizes = g.shape(x).slice(int(node, 'start', 0), end);
  const [rows] = g.shape(images);
  const open = sizes.filter((d) => d < 0);
  const given = g.maker(images)?.op === 'Expand' ? g.maker(images)!.inputs[1] : undefined;
  if (open.length === 0 || open.some((d) => d !== rows) || (x === images && !given)) return undefined;
  const batch = given
    ? g.emit('Slice', [given, g.ints([0]), g.ints([1]), g.ints([0])])
    : g.emit('Shape', [images], { start: 0, end: 1 });
  const parts = sizes.map((d) => (d < 0 ? batch : g.ints([d])));
  return { op: 'Concat', name: node.name, inputs: parts, outputs: node.outputs, attributes: { axis: 0 } };
}
