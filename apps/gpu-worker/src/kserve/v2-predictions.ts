import type { Prediction } from '@whylight/contract';
import {
  explanationDescriptions,
  likeliestDescriptions,
  likeliestOutputs,
  type OutputDescription,
  type Outputs,
} from '@whylight/contract/kserve';
import type { Classifier } from '@whylight/core';

/** The outputs of `infer`: the `count` likeliest classes, and the model's values of all classes in its own order. */
export function predictionOutputs(predictions: readonly (readonly Prediction[])[], count: number): Outputs {
  const classes = predictions[0]!.length;
  const shape = [predictions.length, classes];
  const inOrder = (name: string, of: (prediction: Prediction) => number): Outputs[number] => {
    const data = new Float32Array(predictions.length * classes);
    for (const [n, row] of predictions.entries())
      for (const one of row) data[n * classes + one.class_index] = of(one);
    return { name, shape, datatype: 'FP32', data };
  };
  return [
    ...likeliestOutputs(predictions.map((row) => row.slice(0, count))),
    inOrder('scores', ({ score }) => score!),
    ...(predictions[0]![0]!.probability === undefined
      ? []
      : [inOrder('probabilities', ({ probability }) => probability!)]),
  ];
}

/** Names and types of the outputs of `infer` and `explain`, for the metadata; the request decides a size of -1. */
export function outputsOf(
  { classes, inputShape }: Pick<Classifier, 'classes' | 'inputShape'>,
  hasProbabilities: boolean,
  of: 'infer' | 'explain',
): OutputDescription[] {
  // The shape for the default method; a map has no axis of channels.
  if (of === 'explain') return explanationDescriptions([-1, ...inputShape], hasProbabilities);
  const all = (name: string): OutputDescription => ({ name, datatype: 'FP32', shape: [-1, classes] });
  return [
    ...likeliestDescriptions(hasProbabilities),
    all('scores'),
    ...(hasProbabilities ? [all('probabilities')] : []),
  ];
}
