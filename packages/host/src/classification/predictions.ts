import { InputError, softmax, type Target, type Term } from '@whylight/core';
import { findLabel, type Label } from '../models/labels.ts';

/** What a picture is explained for: a class index, a class's name, whatever scores highest, or a sum of classes. */
export type TargetSpec =
  | 'predicted'
  | { readonly class_index: number }
  | { readonly label: string }
  | { readonly terms: readonly Term[] };

export interface Prediction {
  class_index: number;
  label: string;
  label_zh: string | null;
  /** Softmax over the classes. */
  score: number;
}

/**
 * The class index that `target` means, or -1 for the class that scores highest; sums of classes are for the engine.
 *
 * @throws InputError `target_out_of_range`
 */
export function resolveTarget(target: TargetSpec, labels: readonly Label[] | null, classes: number): Target {
  if (target === 'predicted') return -1;
  if ('terms' in target) return target.terms;
  if ('label' in target) {
    if (labels) return findLabel(labels, target.label);
    throw new InputError('target_out_of_range', 'target: the model has no class names; give a class index');
  }
  const { class_index: index } = target;
  if (!Number.isInteger(index) || index < 0 || index >= classes)
    throw new InputError(
      'target_out_of_range',
      `target: expected a class index in 0..${classes - 1}, got ${index}`,
    );
  return index;
}

/** Every class with its score, by class index. */
export function scored(logits: Float32Array, labels: readonly Label[] | null): Prediction[] {
  return Array.from(softmax(logits), (score, index) => ({
    class_index: index,
    label: labels?.[index]?.en ?? `class ${index}`,
    label_zh: labels?.[index]?.zh ?? null,
    score,
  }));
}

/** The `count` highest scores; of equal scores the lower index first. */
export const highest = (predictions: readonly Prediction[], count: number): Prediction[] =>
  predictions.toSorted((a, b) => b.score - a.score || a.class_index - b.class_index).slice(0, count);

/**
 * Probability of the likeliest class below which an answer says that the network is unsure. Of 100 photos of ImageNet
 * the default network gave 6 less than that, and was wrong on 4 of them; of the other 94 it was wrong on 7. Nothing lay
 * between 0.24 and 0.30, and photos of what is no class (an astronaut, a kiwi fruit) lie below.
 */
const sure = 0.3;

/** What an answer says where the network is unsure what the photo shows; nothing where it is sure. */
export const doubts = ({ label, score }: Prediction): string[] =>
  score < sure
    ? [
        `unsure: the likeliest class, "${label}", has a probability of only ${score.toFixed(3)}; the photo may show none of the model's classes`,
      ]
    : [];
