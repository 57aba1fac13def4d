import { asRows, type Boxes, covered, keptBy, walk } from '../../incremental/patches.ts';
import { type Extent, findCut, plan } from '../../incremental/plan.ts';
import type { Span } from '../../incremental/reach.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { reshape, transpose, unsqueeze } from '../../onnx/emit.ts';
import { ints } from '../../onnx/graph.ts';
import { getOwn } from '../../own.ts';
import type { Incremental, Scored, Setting, Values } from '../method.ts';
import { type Baseline, baselineOf } from '../shared/baseline.ts';

/** Boxes of the image that samples hide: pairs of a span of rows and a span of columns. */
export interface HiddenBoxes {
  readonly rows: readonly Span[];
  readonly columns: readonly Span[];
  /** Which pair each sample has, [samples] each. */
  of(g: GraphBuilder, given: Values): Boxes;
}

/**
 * A method that hides boxes, with only that computed which a box can change (as incremental inference in Krypton):
 * patches of each map instead of the map, up to the layer where they would cover most of it. The scores are the same.
 *
 * @see Nakandala, Kumar & Papakonstantinou, "Incremental and Approximate Inference for Faster Occlusion-based Deep CNN Explanations", 2019
 */
export function incrementally<P extends { readonly baseline: Baseline }>(
  { g, image, logits }: Scored,
  setting: Setting<P>,
  hidden: HiddenBoxes,
): Incremental<P> | undefined {
  const { layout, height, width, inputShape, params } = setting;
  const extent: Extent = {
    rows: { length: height, spans: hidden.rows },
    columns: { length: width, spans: hidden.columns },
  };
  const entry = entryOf(g, image, layout);
  const cut = entry && findCut(g, entry, extent, logits);
  if (cut === undefined) return undefined;
  const planned = (graph: GraphBuilder, input: Value) => {
    const start = entryOf(graph, input, layout)!;
    const steps = plan(graph, start, extent, cut);
    return { start, steps, kept: [...new Set([start, ...keptBy(steps)])] };
  };
  const baselineRows = (graph: GraphBuilder, image: Value): Value => {
    const like = graph.emit('Expand', [
      baselineOf(graph, image, params.baseline, setting),
      graph.ints([1, 1, ...inputShape]),
    ]);
    const map = reshape(graph, like, [1, ...inputShape]);
    return asRows(graph, layout === 'NCHW' ? map : transpose(graph, map, [0, 3, 1, 2]));
  };
  return {
    start: cut,
    prepare({ g: graph, rows }) {
      const { kept } = planned(graph, rows);
      return Object.fromEntries(kept.map((value, i) => [`clean${i}`, asRows(graph, value)]));
    },
    rows(graph, image, given) {
      const { kept, start, steps } = planned(graph, graph.inputs[0]!.name);
      const clean = (value: Value) => getOwn(given, `clean${kept.indexOf(value)}`)!;
      const boxes = hidden.of(graph, given);
      const patch = covered(graph, clean(start), baselineRows(graph, image), extent, boxes);
      return unsqueeze(graph, walk(graph, steps, start, patch, cut, boxes, clean), [0]);
    },
  };
}

/** The first map [N, C, h, w] of the images, which for NHWC is made by a Transpose. */
function entryOf(g: GraphBuilder, image: Value, layout: Setting<unknown>['layout']): Value | undefined {
  if (layout === 'NCHW') return image;
  const users = g.nodes.filter(
    ({ inputs, outputs }) => inputs.includes(image) && outputs.some((output) => g.reserved.has(output)),
  );
  const [only] = users;
  return users.length === 1 && only!.op === 'Transpose' && ints(only!, 'perm')?.join() === '0,3,1,2'
    ? only!.outputs[0]
    : undefined;
}
