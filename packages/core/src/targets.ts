import { InputError } from './errors.ts';
import { float32, int64, type Tensor } from './tensor.ts';

/** A class and its weight in the sum that is explained; class -1 stands for the predicted class. */
export interface Term {
  readonly class: number;
  readonly weight: number;
}

/**
 * The target that an image is explained for, as questions state it: the class that scores highest, a class by index or
 * by name, or a weighted sum of classes. For one network, the engine converts it to a `Target`.
 */
export type TargetSpec =
  | 'predicted'
  | { readonly class_index: number }
  | { readonly label: string }
  | { readonly terms: readonly { readonly class_index: 'predicted' | number; readonly weight: number }[] };

/** The target that is explained: the score of a class, or a weighted sum of the scores of several classes. */
export type Target = number | readonly Term[];

export const scoreKinds = [
  'logit',
  'probability',
  'log-probability',
  'log-odds',
  'output',
  'rest',
  'softmax',
  'log-softmax',
] as const;
/**
 * The value of a class c that is explained: the score before the last squashing function; the model's probability p_c,
 * its logarithm, or its log-odds log p_c/(1 - p_c), for a softmax z_c - log Σ_{k≠c} e^{z_k}; the output itself; or
 * `rest`, pytorch-grad-cam's ReST: y_c + log p_c. `softmax` and `log-softmax` mean probability and log-probability.
 */
export type ScoreKind = (typeof scoreKinds)[number];

const expression = /^\s*(?:-0|(?:predicted|\d+)(?:\s*[+-]\s*(?:predicted|\d+))*)\s*$/;

/**
 * Reads `282`, `predicted`, `281+282` (the sum of two classes), `281-282` (their difference), and `-0`: the only
 * output of a binary model, negated, which stands for the model's other class.
 *
 * @returns `undefined` for text of another form, such as the name of a class
 */
export function parseTarget(text: string): Target | undefined {
  if (!expression.test(text)) return undefined;
  const terms = Array.from(text.matchAll(/([+-]?)\s*(predicted|\d+)/g), ([, sign, name]) => ({
    class: name === 'predicted' ? -1 : Number(name),
    weight: sign === '-' ? -1 : 1,
  }));
  const [first] = terms as [Term];
  return terms.length === 1 && first.weight === 1 ? first.class : terms;
}

/** @throws InputError target_out_of_range */
export function checkTarget(target: Target, classes: number): void {
  if (typeof target !== 'number' && target.length === 0)
    throw new InputError('target_out_of_range', 'a target names a class or more; this one names none');
  for (const index of typeof target === 'number' ? [target] : target.map((term) => term.class))
    if (!Number.isInteger(index) || index < -1 || index >= classes)
      throw new InputError(
        'target_out_of_range',
        `class ${index} does not exist: the model has classes 0 to ${classes - 1}`,
      );
}

/** Returns the class that stands for a target: the first class that the target names. */
export function classOf(target: Target, predicted: number): number {
  const index = typeof target === 'number' ? target : target[0]!.class;
  return index < 0 ? predicted : index;
}

/** Computes the weight of each class, [classes]. */
export function weightsOf(target: Target, classes: number, predicted: number): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(classes);
  const terms = typeof target === 'number' ? [{ class: target, weight: 1 }] : target;
  for (const term of terms) weights[term.class < 0 ? predicted : term.class]! += term.weight;
  return weights;
}

/** Makes a graph's input from classes: `class_index` [N]. */
export const classInput = (classes: readonly number[]): Readonly<Record<string, Tensor>> => ({
  class_index: int64([classes.length], classes),
});

/**
 * Makes the inputs for sums of classes, for a graph that finds the predicted class itself: the class `class_index` [N]
 * has the weight `class_weight` [N, 1], and every class has in addition the weight `class_weights` [N, classes].
 */
export function targetInputs(targets: readonly Target[], classes: number): Readonly<Record<string, Tensor>> {
  const named = targets.map((target) =>
    typeof target === 'number' ? [{ class: target, weight: 1 }] : target,
  );
  const leading = named.map((terms) => terms.find((term) => term.class < 0) ?? terms[0]!);
  const share = named.map((terms, n) =>
    terms.reduce((sum, term) => (term.class === leading[n]!.class ? sum + term.weight : sum), 0),
  );
  const rest = named.map((terms, n) =>
    weightsOf(
      terms.filter((term) => term.class !== leading[n]!.class),
      classes,
      -1,
    ),
  );
  return {
    class_index: int64(
      [targets.length],
      leading.map((term) => term.class),
    ),
    class_weight: float32([targets.length, 1], share),
    class_weights: float32(
      [targets.length, classes],
      rest.flatMap((row) => [...row]),
    ),
  };
}
