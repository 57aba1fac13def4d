import { isSmallPart, percentText } from '../drawing/legend.ts';
import { InputError } from '../errors.ts';
import { coverageOf, onPhoto, type Region } from '../image/picture.ts';
import type { Head } from '../model/head.ts';
import type { Target, TargetSpec } from '../targets.ts';
import type { Warning } from '../warning.ts';
import { type ClassNames, findClass, nameOf, oppositeOf } from './class-names.ts';

/** A network's task: to decide one class of several, each class by itself, yes or no by one output, or a quantity. */
export type Task = Head['task'];

/** The network's statement about one class. */
export interface Prediction {
  class_index: number;
  label: string;
  label_zh: string | null;
  /** Present only if the network's output is a probability, or a softmax or a sigmoid makes it a probability. */
  probability?: number | undefined;
  /** The value that is explained: by default the logit. Null in a result that an earlier release wrote. */
  score: number | null;
}

/** A network's output for one photo, by class index. */
export interface Outputs {
  /** Null: the output is not a probability. */
  readonly probabilities: Float32Array | null;
  readonly scores: Float32Array;
}

/**
 * Converts `target` for the engine: to a class index, -1 for the class that scores highest, or a sum of classes.
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

/** Makes the prediction for every class, by class index. */
export function predictionsOf({ probabilities, scores }: Outputs, names: ClassNames): Prediction[] {
  return Array.from(scores, (score, index) => {
    const { en, zh } = nameOf(names, index);
    const probability = probabilities && { probability: probabilities[index]! };
    return { class_index: index, label: en, label_zh: zh, ...probability, score };
  });
}

/**
 * Returns the prediction that stands for a target in an answer: of its class, or of the first class of a sum. One
 * negated class becomes its opposite, with the probability that the class is not there.
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

/** Returns the value of a prediction that is shown: its probability if it has one, else its score. */
export const shownValue = ({ probability, score }: Pick<Prediction, 'probability' | 'score'>): number =>
  probability ?? score ?? Number.NaN;

/** Returns the `count` highest predictions, by the value that is shown; equal values are ordered by index. */
export const highest = (predictions: readonly Prediction[], count: number): Prediction[] =>
  predictions
    .toSorted((a, b) => shownValue(b) - shownValue(a) || a.class_index - b.class_index)
    .slice(0, count);

/**
 * Probability of the likeliest class below which an answer says that the network is unsure. Of 100 photos of ImageNet
 * the default network gave 6 less than that, and was wrong on 4 of them; of the other 94 it was wrong on 7. None was
 * between 0.24 and 0.30, and photos of things without a class (an astronaut, a kiwi fruit) are below.
 */
const sure = 0.3;

/**
 * Warns if the network is unsure which class the photo shows. Does not warn if it is sure, or if classes do not exclude
 * each other: then the photo may show no class at all, and low probabilities of all classes state exactly that.
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

/** Warns if the network saw only a small part of the photo: then it is the crop that decides what it can answer. */
export function cropWarnings(
  photo: { readonly width: number; readonly height: number },
  region: Region,
): Warning[] {
  const coverage = coverageOf(photo, onPhoto(region, photo));
  return isSmallPart(coverage)
    ? [{ code: 'small_crop', message: `the model saw only ${percentText(coverage)} of this photo` }]
    : [];
}
