import { InputError } from '../errors.ts';
import type { Head } from '../model/head.ts';
import type { Target, TargetSpec } from '../targets.ts';
import type { Warning } from '../warning.ts';
import { type ClassNames, findClass, nameOf, oppositeOf } from './class-names.ts';

/** What a network decides: one class of several, each class by itself, yes or no by one output, or a quantity. */
export type Task = Head['task'];

/** What a network says of one class. */
export interface Prediction {
  class_index: number;
  label: string;
  label_zh: string | null;
  /** Only where what the network gives is a probability, or is made one by a softmax or a sigmoid. */
  probability?: number | undefined;
  /** The value that is explained: the logit, if no other was asked for. Null in a result that an earlier release wrote. */
  score: number | null;
}

/** What a network gives for one photo, by class index. */
export interface Outputs {
  /** Null: what it gives is no probability. */
  readonly probabilities: Float32Array | null;
  readonly scores: Float32Array;
}

/**
 * What `target` means to the engine: a class index, -1 for the class that scores highest, or a sum of classes.
 *
 * @throws InputError `target_out_of_range`
 */
export function resolveTarget(target: TargetSpec, names: ClassNames, classes: number): Target {
  if (target === 'predicted') return -1;
  if ('terms' in target)
    return target.terms.map(({ class_index: index, weight }) => ({
      class: index === 'predicted' ? -1 : index,
      weight,
    }));
  if ('label' in target) {
    if (!names.classes)
      throw new InputError('target_out_of_range', 'target: the model has no class names; give a class index');
    const { index, negated } = findClass(names, target.label);
    return negated ? [{ class: index, weight: -1 }] : index;
  }
  const { class_index: index } = target;
  if (!Number.isInteger(index) || index < 0 || index >= classes)
    throw new InputError(
      'target_out_of_range',
      `target: expected ${classes === 1 ? 'class index 0, as the model has one output' : `a class index from 0 to ${classes - 1}`}, got ${index}`,
    );
  return index;
}

/** Every class with what the network says of it, by class index. */
export function predictionsOf({ probabilities, scores }: Outputs, names: ClassNames): Prediction[] {
  return Array.from(scores, (score, index) => {
    const { en, zh } = nameOf(names, index);
    const probability = probabilities && { probability: probabilities[index]! };
    return { class_index: index, label: en, label_zh: zh, ...probability, score };
  });
}

/**
 * What stands for a target in an answer: its class, or of a sum the class that it names first. One class negated is its
 * opposite, with the probability that it is not there.
 *
 * @param leading the index of that class
 */
export function predictionOfTarget(
  target: Target,
  leading: number,
  predictions: readonly Prediction[],
  names: ClassNames,
): Prediction {
  const prediction = predictions[leading]!;
  const isNegated = typeof target !== 'number' && target.length === 1 && target[0]!.weight === -1;
  if (!isNegated) return prediction;
  const { class_index, probability, score } = prediction;
  const { en, zh } = oppositeOf(names, class_index);
  return {
    class_index,
    label: en,
    label_zh: zh,
    ...(probability !== undefined && { probability: 1 - probability }),
    score: score && -score,
  };
}

/** What of a prediction is shown: its probability where it has one, else its score. */
export const shownValue = ({ probability, score }: Pick<Prediction, 'probability' | 'score'>): number =>
  probability ?? score ?? Number.NaN;

/** The `count` highest, by what is shown of them; of equal ones the lower index first. */
export const highest = (predictions: readonly Prediction[], count: number): Prediction[] =>
  predictions
    .toSorted((a, b) => shownValue(b) - shownValue(a) || a.class_index - b.class_index)
    .slice(0, count);

/**
 * Probability of the likeliest class below which an answer says that the network is unsure. Of 100 photos of ImageNet
 * the default network gave 6 less than that, and was wrong on 4 of them; of the other 94 it was wrong on 7. Nothing lay
 * between 0.24 and 0.30, and photos of what is no class (an astronaut, a kiwi fruit) lie below.
 */
const sure = 0.3;

/**
 * What an answer says where the network is unsure which class the photo shows; nothing where it is sure, or where classes
 * do not exclude each other: then none of them may be there, and a low probability of each says just that.
 */
export const doubts = (task: Task, { label, probability }: Prediction): Warning[] =>
  task === 'multiclass' && probability !== undefined && probability < sure
    ? [
        {
          code: 'unsure',
          message: `the likeliest class, "${label}", has a probability of only ${probability.toFixed(3)}; the photo may show none of the model's classes`,
        },
      ]
    : [];
