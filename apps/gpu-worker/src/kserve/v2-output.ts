import type { Prediction } from '@whylight/contract';
import { type Classifier, stacked } from '@whylight/core';
import { Refusal } from './refusal.ts';
import type { Explained } from './served-model.ts';
import type { OutputTensor } from './v2-tensor.ts';

/** Outputs by name, as the metadata lists them and as a request may choose from them. */
export type Outputs = readonly OutputTensor[];

/** The likeliest classes of each image, [N, k]; without `probability` if the model gives none. */
function likeliest(predictions: readonly (readonly Prediction[])[]): OutputTensor[] {
  const all = predictions.flat();
  const shape = [predictions.length, predictions[0]!.length];
  const outputs: OutputTensor[] = [
    {
      name: 'class_index',
      shape,
      datatype: 'INT64',
      data: BigInt64Array.from(all, (p) => BigInt(p.class_index)),
    },
    { name: 'label', shape, datatype: 'BYTES', data: all.map(({ label }) => label) },
    { name: 'score', shape, datatype: 'FP32', data: Float32Array.from(all, ({ score }) => score!) },
  ];
  if (all[0]!.probability !== undefined)
    outputs.push({
      name: 'probability',
      shape,
      datatype: 'FP32',
      data: Float32Array.from(all, ({ probability }) => probability!),
    });
  return outputs;
}

/** The outputs of `infer`: the `count` likeliest classes, and the model's values of all classes in its own order. */
export function predictionOutputs(predictions: readonly (readonly Prediction[])[], count: number): Outputs {
  const classes = predictions[0]!.length;
  const shape = [predictions.length, classes];
  const inOrder = (name: string, of: (prediction: Prediction) => number): OutputTensor => {
    const data = new Float32Array(predictions.length * classes);
    for (const [n, row] of predictions.entries())
      for (const one of row) data[n * classes + one.class_index] = of(one);
    return { name, shape, datatype: 'FP32', data };
  };
  return [
    ...likeliest(predictions.map((row) => row.slice(0, count))),
    inOrder('scores', ({ score }) => score!),
    ...(predictions[0]![0]!.probability === undefined
      ? []
      : [inOrder('probabilities', ({ probability }) => probability!)]),
  ];
}

/** The outputs of `explain`. @throws Refusal for images whose attributions have different sizes */
export function explanationOutputs(explained: readonly Explained[], withPictures: boolean): Outputs {
  const [first] = explained as [Explained];
  const other = explained.find(
    ({ attribution }) => attribution.shape.join() !== first.attribution.shape.join(),
  );
  if (other)
    throw new Refusal(
      400,
      `the images give attributions of different sizes, ${sized(first)} and ${sized(other)}, which one tensor cannot hold: send one image in a request`,
    );
  const attribution = stacked(explained.map((one) => one.attribution));
  const results = explained.map(({ result }) => result);
  const pictures = explained.flatMap(({ overlay }) => overlay ?? []);
  return [
    { name: 'attribution', shape: attribution.shape, datatype: 'FP32', data: attribution.data },
    {
      name: 'target',
      shape: [results.length],
      datatype: 'INT64',
      data: BigInt64Array.from(results, ({ target }) => BigInt(target.class_index)),
    },
    ...likeliest(results.map(({ predictions }) => predictions)),
    ...(first.result.convergence_delta === null
      ? []
      : [
          {
            name: 'convergence_delta',
            shape: [results.length],
            datatype: 'FP32' as const,
            data: Float32Array.from(results, ({ convergence_delta }) => convergence_delta!),
          },
        ]),
    ...(withPictures
      ? [{ name: 'overlay', shape: [pictures.length], datatype: 'BYTES' as const, data: pictures }]
      : []),
  ];
}

const sized = ({ attribution }: Explained): string => `[${attribution.shape.slice(1).join(', ')}]`;

/** Names and types of the outputs of `infer` and `explain`, for the metadata; the request decides a size of -1. */
export function outputsOf(
  { classes, inputShape }: Pick<Classifier, 'classes' | 'inputShape'>,
  hasProbabilities: boolean,
  of: 'infer' | 'explain',
): { name: string; datatype: OutputTensor['datatype']; shape: number[] }[] {
  const top = (name: string, datatype: OutputTensor['datatype']) => ({ name, datatype, shape: [-1, -1] });
  const all = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1, classes] });
  const one = (name: string, datatype: OutputTensor['datatype']) => ({ name, datatype, shape: [-1] });
  const lists = [top('class_index', 'INT64'), top('label', 'BYTES'), top('score', 'FP32')];
  if (hasProbabilities) lists.push(top('probability', 'FP32'));
  if (of === 'infer') return [...lists, all('scores'), ...(hasProbabilities ? [all('probabilities')] : [])];
  // The shape for the default method; a map has no axis of channels.
  const attribution = { name: 'attribution', datatype: 'FP32' as const, shape: [-1, ...inputShape] };
  return [
    attribution,
    one('target', 'INT64'),
    ...lists,
    one('convergence_delta', 'FP32'),
    one('overlay', 'BYTES'),
  ];
}
