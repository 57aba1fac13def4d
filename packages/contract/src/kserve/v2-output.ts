import type { Prediction } from '../result.ts';
import { KServeFault } from './fault.ts';
import type { OutputTensor } from './v2-tensor.ts';

/** Outputs by name, as the metadata lists them and as a request may choose from them. */
export type Outputs = readonly OutputTensor[];

/** An output of a model's metadata; the request decides a size of -1. */
export interface OutputDescription {
  readonly name: string;
  readonly datatype: OutputTensor['datatype'];
  readonly shape: readonly number[];
}

/** One explanation as V2's outputs need it. */
export interface V2Explained {
  readonly target: { readonly class_index: number };
  readonly predictions: readonly Prediction[];
  readonly convergence_delta: number | null;
  /** Its first dimension is 1. */
  readonly attribution: { readonly shape: readonly number[]; readonly data: Float32Array };
  /** A PNG file; null without a picture. */
  readonly overlay: Uint8Array | null;
}

/** The likeliest classes of each image, [N, k]; without `probability` if the model gives none. A score that is not known is NaN. */
export function likeliestOutputs(predictions: readonly (readonly Prediction[])[]): OutputTensor[] {
  const all = predictions.flat();
  const shape = [predictions.length, predictions[0]!.length];
  const floats = (name: string, of: (prediction: Prediction) => number): OutputTensor => ({
    ...{ name, shape, datatype: 'FP32', data: Float32Array.from(all, of) },
  });
  return [
    {
      name: 'class_index',
      shape,
      datatype: 'INT64',
      data: BigInt64Array.from(all, (p) => BigInt(p.class_index)),
    },
    { name: 'label', shape, datatype: 'BYTES', data: all.map(({ label }) => label) },
    floats('score', ({ score }) => score ?? Number.NaN),
    ...(all[0]!.probability === undefined ? [] : [floats('probability', ({ probability }) => probability!)]),
  ];
}

/** Describes `likeliestOutputs` for the metadata. */
export function likeliestDescriptions(hasProbabilities: boolean): OutputDescription[] {
  const top = (name: string, datatype: OutputTensor['datatype']) => ({ name, datatype, shape: [-1, -1] });
  const lists = [top('class_index', 'INT64'), top('label', 'BYTES'), top('score', 'FP32')];
  return hasProbabilities ? [...lists, top('probability', 'FP32')] : lists;
}

/** The outputs of `explain`. @throws KServeFault for images whose attributions have different sizes */
export function explanationOutputs(explained: readonly V2Explained[], withPictures: boolean): Outputs {
  const [first] = explained as [V2Explained];
  const other = explained.find(
    ({ attribution }) => attribution.shape.join() !== first.attribution.shape.join(),
  );
  if (other)
    throw new KServeFault(
      400,
      `the images give attributions of different sizes, ${sized(first)} and ${sized(other)}, which one tensor cannot hold: send one image in a request`,
    );
  const count = explained.length;
  const size = first.attribution.data.length;
  const attribution = new Float32Array(count * size);
  for (const [n, one] of explained.entries()) attribution.set(one.attribution.data, n * size);
  const pictures = explained.flatMap(({ overlay }) => overlay ?? []);
  const one = { shape: [count] };
  return [
    {
      name: 'attribution',
      shape: [count, ...first.attribution.shape.slice(1)],
      datatype: 'FP32',
      data: attribution,
    },
    {
      ...{ name: 'target', ...one, datatype: 'INT64' },
      data: BigInt64Array.from(explained, ({ target }) => BigInt(target.class_index)),
    },
    ...likeliestOutputs(explained.map(({ predictions }) => predictions)),
    ...(first.convergence_delta === null
      ? []
      : [
          {
            ...{ name: 'convergence_delta', ...one, datatype: 'FP32' as const },
            data: Float32Array.from(explained, ({ convergence_delta }) => convergence_delta!),
          },
        ]),
    ...(withPictures
      ? [{ name: 'overlay', shape: [pictures.length], datatype: 'BYTES' as const, data: pictures }]
      : []),
  ];
}

const sized = ({ attribution }: V2Explained): string => `[${attribution.shape.slice(1).join(', ')}]`;

/** Describes `explanationOutputs` for the metadata. @param shape that of the default method, with -1 for the batch */
export function explanationDescriptions(
  shape: readonly number[],
  hasProbabilities: boolean,
): OutputDescription[] {
  const one = (name: string, datatype: OutputTensor['datatype']) => ({ name, datatype, shape: [-1] });
  return [
    { name: 'attribution', datatype: 'FP32', shape },
    one('target', 'INT64'),
    ...likeliestDescriptions(hasProbabilities),
    one('convergence_delta', 'FP32'),
    one('overlay', 'BYTES'),
  ];
}
