import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { int, type Node } from '../onnx/graph.ts';
import { axisOf } from '../operators/shape/rule.ts';
import { sizeOf } from '../tensor.ts';
import { boundsOf, isShare } from './bounds.ts';
import { type Naming, namesLogit, namesNumber } from './output-names.ts';
import { type Squashed, type Sum, squashedSums, type Term } from './squashed.ts';
import type { Task } from './task.ts';

/** What a score is, decided once for each classifier: what its output is made by, and what its numbers mean. */
export interface Head {
  /**
   * What makes the numbers that are shown: one softmax over all classes, a sigmoid for each class, a mixture of several
   * of these, or nothing that makes probabilities.
   */
  readonly kind: 'softmax' | 'sigmoid' | 'mixture' | 'number';
  /** What the model was trained for: one class of several, any of several, yes or no, or a number. */
  readonly task: Task;
  /** The model's output that is explained. */
  readonly output: string;
  /** The model's other outputs. */
  readonly others: readonly string[];
}

/** A number of a squashing function; `sign` -1 where the output is what is left of it to 1. */
export interface Picked {
  readonly node: Node;
  readonly element: number;
  readonly sign: 1 | -1;
}

/** Of what scores are made, and so how to go back to what was before the last squashing function. */
export type Source =
  | { readonly of: 'logits' }
  | { readonly of: 'softmax'; readonly node: Node; readonly elements: readonly number[] }
  | { readonly of: 'odds'; readonly picks: readonly Picked[] }
  /** For each member of the mixture, its share and its pick for each class. */
  | { readonly of: 'mixture'; readonly members: readonly { share: number; picks: readonly Picked[] }[] }
  | { readonly of: 'probabilities' }
  | { readonly of: 'number' };

export interface Decision {
  readonly kind: Head['kind'];
  readonly task: Task;
  readonly source: Source;
  /** What the output's probabilities are multiplied by: 100 for percents. */
  readonly whole: number;
  /** Whether the output is their logarithm. */
  readonly logarithm: boolean;
  /** The node that squashes, where there is one to name. */
  readonly node: Node | undefined;
}

/** Relative error within which a sum of probabilities is what it seems; what keeps logarithms finite is smaller. */
const tiny = 1e-3;
const near = (a: number, b: number): boolean => Math.abs(a - b) <= tiny * Math.max(1, Math.abs(b));

/** Of more, the log-odds are taken of their mean itself. */
const mostMembers = 64;

/** What the scores [images, classes] of an output are. */
export function decideHead(g: GraphBuilder, output: Value, classes: number, naming: Naming): Decision {
  const images = g.factOf(output)!.shape[0]!;
  const found = squashedSums(g, output, images);
  const squashed = found && fromSquashed(g, found, classes, naming);
  if (squashed) return squashed;
  const number = plainNumber(classes, found?.nodes.at(0));
  if (naming.task === 'regression') return number;
  const { low, high } = boundsOf(g, output);
  if (found || (low >= -1 - tiny && high <= 1 + tiny)) {
    const adds = classes > 1 && sharesOut(g, output);
    return adds
      ? { ...number, kind: 'mixture', task: 'multiclass', source: { of: 'probabilities' } }
      : number;
  }
  const whole = { source: { of: 'logits' }, whole: 1, logarithm: false, node: undefined } as const;
  const oneLogit = naming.task === 'binary' || naming.labels === 2 || namesLogit(naming.name);
  if (classes === 1) return oneLogit ? { kind: 'sigmoid', task: 'binary', ...whole } : number;
  return naming.task === 'multilabel'
    ? { kind: 'sigmoid', task: 'multilabel', ...whole }
    : { kind: 'softmax', task: 'multiclass', ...whole };
}

/** Numbers that are no probabilities; `node` bounds them, where one does. */
export const plainNumber = (classes: number, node?: Node): Decision => ({
  kind: 'number',
  task: classes === 1 ? 'regression' : 'multiclass',
  source: { of: 'number' },
  whole: 1,
  logarithm: false,
  node,
});

/** Whether an output, but for its shape, is x / Σ x. */
function sharesOut(g: GraphBuilder, output: Value): boolean {
  let node = g.maker(output);
  while (
    node &&
    (node.op === 'Reshape' || node.op === 'Squeeze' || node.op === 'Flatten' || node.op === 'Cast')
  )
    node = g.maker(node.inputs[0]!);
  return node !== undefined && isShare(g, node);
}

function fromSquashed(
  g: GraphBuilder,
  { nodes, sums, logarithm }: Squashed,
  classes: number,
  naming: Naming,
): Decision | undefined {
  if (naming.task === 'regression' || sums.length !== classes) return undefined;
  if (classes === 1 && naming.task === undefined && naming.labels !== 2 && namesNumber(naming.name))
    return undefined;
  const shared = { logarithm, node: nodes[sums[0]!.terms[0]?.node ?? 0], whole: 1 };
  const groups = (term: Term) => `${term.node},${groupOf(g, nodes[term.node]!, term.element)}`;
  const single = sums.every(({ terms }) => terms.length === 1);
  const first = sums[0]!.terms[0];
  if (single && first) {
    const same = sums.every(({ terms: [term] }) => groups(term!) === groups(first));
    const distinct = new Set(sums.map(({ terms: [term] }) => term!.element)).size === classes;
    const node = nodes[first.node]!;
    if (isSoftmax(node) && same && distinct && classes > 1 && first.weight > 0) {
      const whole = softmaxTotal(g, node, sums);
      if (whole === undefined) return undefined;
      const elements = sums.map(({ terms }) => terms[0]!.element);
      return {
        ...shared,
        kind: 'softmax',
        task: 'multiclass',
        whole,
        source: { of: 'softmax', node, elements },
      };
    }
    const whole = wholeOf(nodes, sums);
    if (whole === undefined) return undefined;
    const picks = sums.map(({ terms }) => pickOf(nodes, terms[0]!));
    const task = classes === 1 ? 'binary' : addUp(sums, whole) ? 'multiclass' : 'multilabel';
    return { ...shared, kind: 'sigmoid', task, whole, source: { of: 'odds', picks } };
  }
  if (logarithm || sums.some(({ terms }) => terms.length === 0)) return undefined;
  return fromSums(nodes, sums, groups, classes, shared);
}

/** Means of several squashing functions, sums of classes, and differences that share out 1 (ordinal models). */
function fromSums(
  nodes: readonly Node[],
  sums: readonly Sum[],
  groups: (term: Term) => string,
  classes: number,
  shared: Pick<Decision, 'logarithm' | 'node' | 'whole'>,
): Decision | undefined {
  const totals = sums.map(({ terms }) => terms.reduce((all, { weight }) => all + weight, 0));
  const positive = sums.every(
    ({ terms, constant }, i) =>
      Math.abs(constant) <= tiny * totals[i]! && terms.every(({ weight }) => weight > 0),
  );
  const apart = sums.every(({ terms }) => new Set(terms.map(groups)).size === terms.length);
  const whole = totals[0]!;
  const alike = totals.every((total) => near(total, whole));
  const softmaxes = sums.every(({ terms }) => terms.every(({ node }) => isSoftmax(nodes[node]!)));
  const task = classes === 1 ? 'binary' : softmaxes || addUp(sums, whole) ? 'multiclass' : 'multilabel';
  const bounded = nodes.every(({ op }) => op !== 'Tanh');
  if (
    positive &&
    apart &&
    alike &&
    bounded &&
    (near(whole, 1) || near(whole, 100) || (softmaxes && classes > 1))
  ) {
    const members = membersOf(nodes, sums, whole);
    const source: Source = members ? { of: 'mixture', members } : { of: 'probabilities' };
    return { ...shared, kind: 'mixture', task, whole: near(whole, 1) ? 1 : whole, source };
  }
  const union = positive && sums.every(({ terms }) => terms.every(({ weight }) => near(weight, 1)));
  const oneGroup = sums.every(({ terms }) => new Set(terms.map(groups)).size === 1);
  if ((union && oneGroup) || addUp(sums, 1))
    return {
      ...shared,
      kind: 'mixture',
      task: classes === 1 ? 'binary' : 'multiclass',
      source: { of: 'probabilities' },
    };
  return undefined;
}

/** The members of a mixture, if each class has one number of as many, counting alike. */
function membersOf(nodes: readonly Node[], sums: readonly Sum[], whole: number) {
  const count = sums[0]!.terms.length;
  const smooth = nodes.every(({ op }) => op === 'Softmax' || op === 'Sigmoid');
  const alike = sums.every(
    ({ terms }) =>
      terms.length === count && terms.every(({ weight }, k) => near(weight, sums[0]!.terms[k]!.weight)),
  );
  if (count > mostMembers || !alike || !smooth) return undefined;
  return sums[0]!.terms.map(({ weight }, k) => ({
    share: weight / whole,
    picks: sums.map(({ terms }) => pickOf(nodes, terms[k]!)),
  }));
}

const isSoftmax = ({ op }: Node): boolean => op === 'Softmax' || op === 'LogSoftmax';

const pickOf = (nodes: readonly Node[], { node, element, weight }: Term): Picked => ({
  node: nodes[node]!,
  element,
  sign: weight < 0 ? -1 : 1,
});

/** The numbers of a softmax that add up to 1 with this one. */
export function groupOf(g: GraphBuilder, node: Node, element: number): number {
  if (!isSoftmax(node)) return element;
  const { inner, size } = softmaxAxis(g, node);
  return Math.floor(element / (inner * size)) * inner + (element % inner);
}

/** How many numbers a softmax is over, and how many lie between two of them. */
export function softmaxAxis(g: GraphBuilder, node: Node): { axis: number; size: number; inner: number } {
  const { shape } = g.factOf(node.outputs[0]!)!;
  const axis = axisOf(int(node, 'axis', -1), shape.length);
  return { axis, size: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

/** What all numbers of a softmax add up to in the output, if each counts alike. */
function softmaxTotal(g: GraphBuilder, node: Node, sums: readonly Sum[]): number | undefined {
  const [{ constant, terms }] = sums as [Sum];
  const { weight } = terms[0]!;
  const alike = sums.every(
    (sum) => near(sum.terms[0]!.weight, weight) && Math.abs(sum.constant - constant) <= tiny * weight,
  );
  const total = weight + softmaxAxis(g, node).size * constant;
  if (!alike || !(total > 0)) return undefined;
  return near(total, 1) || constant * softmaxAxis(g, node).size <= tiny
    ? near(weight, 1)
      ? 1
      : total
    : total;
}

/** What sigmoids are multiplied by, if what they become is 0 to 1, or 0 to 100. */
function wholeOf(nodes: readonly Node[], sums: readonly Sum[]): number | undefined {
  const ends = sums.map(({ constant, terms: [term] }) => {
    const { node, weight } = term!;
    const low = nodes[node]!.op === 'Tanh' ? constant - weight : constant; // tanh(z) = 2·sigmoid(2z) - 1
    return [low, constant + weight].sort((a, b) => a - b) as [number, number];
  });
  if (ends.every(([low, high]) => low >= -tiny && high <= 1 + tiny)) return 1;
  return ends.every(([low, high]) => Math.abs(low) <= 0.1 && near(high, 100)) ? 100 : undefined;
}

/** Whether the numbers of an image add up to the whole, whatever the image. */
function addUp(sums: readonly Sum[], whole: number): boolean {
  const left = new Map<string, number>();
  for (const { node, element, weight } of sums.flatMap(({ terms }) => terms))
    left.set(`${node},${element}`, (left.get(`${node},${element}`) ?? 0) + weight);
  const constant = sums.reduce((all, sum) => all + sum.constant, 0);
  return near(constant, whole) && [...left.values()].every((weight) => Math.abs(weight) <= tiny * whole);
}
