import { InputError } from './errors.ts';
import { float32, int64, type Tensor } from './tensor.ts';

/** A class that counts for a part of what is explained; -1 stands for the predicted class. */
export interface Term {
  readonly class: number;
  readonly weight: number;
}

/**
 * What an image is explained for, as questions say it: the class that scores highest, a class by index or by name, or a
 * weighted sum of classes. `Target` is what the engine makes of it for one network.
 */
export type TargetSpec =
  | 'predicted'
  | { readonly class_index: number }
  | { readonly label: string }
  | { readonly terms: readonly { readonly class_index: 'predicted' | number; readonly weight: number }[] };

/** What is explained of an image: the score of a class, or a weighted sum of the scores of several. */
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
 * What of a class c is explained: the score before the last squashing function; the model's probability p_c of it, its
 * logarithm, or its log-odds log p_c/(1 - p_c), of a softmax z_c - log Σ_{k≠c} e^{z_k}; the output itself; or `rest`,
 * pytorch-grad-cam's ReST: y_c + log p_c. `softmax` and `log-softmax` are other names of probability and log-probability.
 */
export type ScoreKind = (typeof scoreKinds)[number];

const expression = /^\s*(?:-0|(?:predicted|\d+)(?:\s*[+-]\s*(?:predicted|\d+))*)\s*$/;

/**
 * Reads `282`, `predicted`, `281+282` (the sum of two classes), `281-282` (their difference), and `-0`: the only
 * output of a binary model negated, which is its other class.
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

/** The class that stands for a target: the first that it names. */
export function classOf(target: Target, predicted: number): number {
  const index = typeof target === 'number' ? target : target[0]!.class;
  return index < 0 ? predicted : index;
}

/** How much each class counts, [classes]. */
export function weightsOf(target: Target, classes: number, predicted: number): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(classes);
  const terms = typeof target === 'number' ? [{ class: target, weight: 1 }] : target;
  for (const term of terms) weights[term.class < 0 ? predicted : term.class]! += term.weight;
  return weights;
}

/** Classes as a graph takes them: `class_index` [N]. */
export const classInput = (classes: readonly number[]): Readonly<Record<string, Tensor>> => ({
  class_index: int64([classes.length], classes),
});

/**
 * Sums of classes as a graph takes them that finds the predicted class itself: `class_index` [N] counts `class_weight` [N, 1]
 * times, every class besides `class_weights` [N, classes].
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
