import {
  type AttributeOptions,
  type Attribution,
  createExplainer,
  type ExplainerSpec,
} from '../explainer.ts';
import { type Classifier, readClassifier } from '../model/classifier.ts';
import type { Target } from '../targets.ts';
import { float32, type Tensor } from '../tensor.ts';
import { cpu } from './ort.ts';

/** Classifiers of the files that were read before: many tests explain one network several times. */
const classifiers = new WeakMap<Uint8Array, Classifier>();
function classifierOf(model: Uint8Array): Classifier {
  const known = classifiers.get(model) ?? readClassifier(model);
  classifiers.set(model, known);
  return known;
}

/** Explains images of a small network on the CPU. */
export async function explain(
  model: Uint8Array,
  spec: ExplainerSpec,
  images: Tensor<'float32'>,
  targets: readonly Target[],
  options?: AttributeOptions,
): Promise<Attribution> {
  const explainer = await createExplainer(classifierOf(model), spec, cpu);
  try {
    return await explainer.attribute(images, targets, options);
  } finally {
    await explainer.close();
  }
}

/** Returns 0, 1, 2, … as an image. */
export const counting = (shape: readonly number[]): Tensor<'float32'> =>
  float32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
  );
