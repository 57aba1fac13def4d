import { asRows, type Boxes, covered, keptBy, walk } from '../../incremental/patches.ts';
import { type Extent, findCut, plan } from '../../incremental/plan.ts';
import type { Span } from '../../incremental/reach.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Expression } from '../../onnx/expression.ts';
import { ints } from '../../onnx/graph.ts';
import type { Setting, Subject } from '../method.ts';
import { type Baseline, baselineImage, baselineOf } from '../shared/baseline.ts';

/** Boxes of the image that samples hide: pairs of a span of rows and a span of columns. */
export interface HiddenBoxes<K extends string> {
  readonly rows: readonly Span[];
  readonly columns: readonly Span[];
  /** Gives the index of each sample's row span and column span, [samples] each. */
  of(chunk: { readonly [k in K]: Expression }): { readonly row: Expression; readonly column: Expression };
}

/** Makes the network over images with hidden boxes; `mask` gives their elements, [samples, C or 1, H, W]. */
type Hider<K extends string> = (chunk: { readonly [k in K]: Expression }, mask: () => Expression) => Subject;

/**
 * Evaluates images with boxes of the baseline in them. If the network allows it, only values that a box can change are
 * computed (as in Krypton's incremental inference): patches of each map instead of the map, up to the layer where they
 * would cover most of it. The scores are the same.
 *
 * @see Nakandala, Kumar & Papakonstantinou, "Incremental and Approximate Inference for Faster Occlusion-based Deep CNN Explanations", 2019
 */
export function boxesHider<P extends { readonly baseline: Baseline }, K extends string>(
  subject: Subject,
  setting: Setting<P>,
  hidden: HiddenBoxes<K> | undefined,
): Hider<K> {
  const { image, at, startingFrom } = subject;
  const patches = hidden && setting.incremental ? patchesHider(subject, setting, hidden) : undefined;
  return (chunk, mask) => {
    const values = patches?.values(chunk);
    return values
      ? startingFrom(patches!.end, values)
      : at(mask().where(baselineOf(image, setting.parameters.baseline, setting), image));
  };
}

/** Another way to evaluate hidden boxes: a value inside the network, and a function that gives it for each sample. */
interface Patches<K extends string> {
  readonly end: Value;
  /** Gives `undefined` if the value cannot be computed from patches. */
  values(chunk: { readonly [k in K]: Expression }): Expression | undefined;
}

function patchesHider<P extends { readonly baseline: Baseline }, K extends string>(
  { image, logits }: Subject,
  setting: Setting<P>,
  hidden: HiddenBoxes<K>,
): Patches<K> | undefined {
  const { layout, height, width, parameters } = setting;
  const { g } = image;
  const extent: Extent = {
    rows: { length: height, spans: hidden.rows },
    columns: { length: width, spans: hidden.columns },
  };
  const entry = entryOf(g, image.name, layout);
  const end = entry && findCut(g, entry, extent, logits.name);
  if (end === undefined || !g.reserved.has(end)) return undefined;
  const steps = plan(g, entry!, extent, end);
  const clean = new Map(
    [...new Set([entry!, ...keptBy(steps)])].map((value) => [value, asRows(image.of(value))]),
  );
  const absent = baselineImage(image, parameters.baseline, setting);
  const hiding = asRows(layout === 'NCHW' ? absent : absent.transpose([0, 3, 1, 2]));
  return {
    end,
    values(chunk) {
      const boxes: Boxes = hidden.of(chunk);
      const { g } = boxes.row;
      const before = g.nodes.length;
      const patch = covered(clean.get(entry!)!, hiding, extent, boxes);
      const values = walk(steps, entry!, patch, end, boxes, image, (value) => clean.get(value)!);
      if (!values) g.replaceNodes(before, []);
      return values;
    },
  };
}

/** Finds the first map [N, C, h, w] of the images, which for NHWC is made by a Transpose. */
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
