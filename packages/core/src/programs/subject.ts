import { composites } from '../autodiff/composites.ts';
import { differentiate } from '../autodiff/differentiate.ts';
import { gradientRules } from '../autodiff/gradient.ts';
import { transformerOf } from '../layers/attention.ts';
import type { Subject } from '../methods/method.ts';
import { foldFactors } from '../onnx/constant-factors.ts';
import { Expression } from '../onnx/expression.ts';
import { reachable } from '../onnx/graph.ts';
import type { LookedAt } from './network.ts';
import { scoreOfClasses } from './score.ts';

/** What of a subject is said by the network over its images; the rest is what a program can do. */
export type Evaluated = Pick<
  Subject,
  | 'image'
  | 'logits'
  | 'scored'
  | 'chosen'
  | 'score'
  | 'terms'
  | 'layers'
  | 'nodes'
  | 'transformer'
  | 'gradients'
  | 'gradient'
>;

/** Whose scores are explained, and how. */
export interface Question {
  readonly image: Expression;
  /** How much each class counts for each image, [images, classes]. */
  readonly chosen: Expression;
  /** The class of each image [images], where `chosen` is one class each and no sum of classes. */
  readonly target?: Expression | undefined;
}

/**
 * The network over images, and what is explained of it. A network that takes batches of one size may have been given one
 * image as often as it takes: what is said of the first copy is said of the image.
 */
export function evaluated(network: LookedAt, { image, chosen, target }: Question): Evaluated {
  const { g } = network;
  const value = (name: string) => new Expression(g, name);
  const whole = value(network.image);
  const isFilled = image.shape[0] === 1 && whole.shape[0] !== 1;
  /** By the first row of a value, the value. */
  const wholes = new Map<string, Expression>();
  const first = (rows: Expression): Expression => {
    if (!isFilled) return rows;
    const row = rows.slice(0, 0, 1);
    wholes.set(row.name, rows);
    return row;
  };
  const [logits, scored] = [value(network.logits), value(network.scored)];
  const weighed = network.weighed.get(network.scored);
  const everyChosen = isFilled || chosen.g !== g ? chosen.mul(logits.onesLike()) : chosen;
  const score = scoreOfClasses({
    logits,
    scored,
    chosen: everyChosen,
    weighed: weighed && { maps: value(weighed.maps), weights: value(weighed.weights) },
    target: isFilled ? undefined : target,
  });
  const gradients: Subject['gradients'] = (asked, { rules = gradientRules, seeds } = {}) => {
    const wanted = asked.map((one) => wholes.get(one.name) ?? one);
    const from = new Map(
      [...(seeds ?? score.seeds(wanted, rules))].map(([y, seed]) => [y.name, g.capture(seed.g, seed.name)]),
    );
    const start = g.nodes.length;
    const names = wanted.map(({ name }) => name);
    const found = differentiate(g, from, names, rules, rules === gradientRules ? composites : {});
    foldFactors(
      g,
      start,
      found.filter((gradient) => gradient !== null),
    );
    return found.map((gradient, i) => first(gradient === null ? wanted[i]!.zerosLike() : value(gradient)));
  };
  let explained: Expression | undefined;
  return {
    image: isFilled ? first(whole) : whole,
    logits: first(logits),
    scored: logits.name === scored.name ? first(logits) : first(scored),
    chosen: isFilled ? chosen : everyChosen,
    get score() {
      explained ??= first(score.value());
      return explained;
    },
    get terms() {
      return score.terms();
    },
    layers: network.layers.map((layer) => first(value(layer))),
    nodes: reachable(g.nodes, [network.logits, ...network.layers]),
    transformer: () => transformerOf(network),
    gradients,
    gradient: (how) => gradients([whole], how)[0]!,
  };
}

/** The class asked for, or the predicted one where -1 was. */
export const resolved = (asked: Expression, logits: Expression): Expression =>
  asked.isLess(0).where(logits.emit('ArgMax', [], { axis: 1, keepdims: 0 }), asked);
