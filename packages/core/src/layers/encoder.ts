import type { GraphBuilder } from '../onnx/builder.ts';
import type { Node } from '../onnx/graph.ts';
import type { Layer } from './layers.ts';

/**
 * The last layer of what a network makes small before it makes a map of it again (the encoder's end, the bottleneck of a
 * U-Net): of the layers that are made before anything is enlarged, those with most channels, of these the last with most
 * places. The layers after it hardly do more than to paint the map again, at its own size.
 */
export function encoderEnd(g: GraphBuilder, layers: readonly Layer[]): Layer | undefined {
  const enlarged = madeOfEnlarged(g);
  const before = layers.filter(({ name }) => !enlarged.has(name));
  const channels = Math.max(...before.map(({ shape }) => shape[0]!));
  const most = before.filter(({ shape }) => shape[0] === channels);
  const places = ({ shape }: Layer) => shape[1]! * shape[2]!;
  const largest = Math.max(...most.map(places));
  return most.findLast((layer) => places(layer) === largest);
}

/** Values that something enlarged went into: what has more places than the map that it is made of. */
function madeOfEnlarged(g: GraphBuilder): ReadonlySet<string> {
  const made = new Set<string>();
  for (const node of g.nodes) {
    const isMade = node.inputs.some((input) => made.has(input)) || enlarges(g, node);
    if (isMade) for (const output of node.outputs) made.add(output);
  }
  return made;
}

function enlarges(g: GraphBuilder, { inputs, outputs }: Node): boolean {
  const to = placesOf(g, outputs[0]);
  // What scales the channels of a map (squeeze and excitation) has one place, and the map has all.
  const from = inputs.map((input) => placesOf(g, input)).filter((places) => places !== undefined);
  return to !== undefined && from.length > 0 && from.every((places) => places < to);
}

/** Places of a map [N, C, h, w]. */
function placesOf(g: GraphBuilder, value: string | undefined): number | undefined {
  if (value === undefined || value === '' || !g.knows(value)) return undefined;
  const shape = g.shape(value);
  return shape.length === 4 && shape.slice(1).every((d) => d > 0) ? shape[2]! * shape[3]! : undefined;
}
