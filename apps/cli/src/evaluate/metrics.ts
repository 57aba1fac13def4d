import type { Tensor } from '@whylight/core';
import { minMax } from '@whylight/core/drawing';
import {
  arcc,
  type ConfidenceChange,
  confidenceChange,
  type DeletionInsertion,
  deletionInsertion,
  infidelity,
  type Layout,
  maxSensitivity,
  pointsAt,
  rankCorrelation,
  relevanceMass,
  road,
  type Scorer,
} from '@whylight/core/metrics';
import type { Subject } from './subjects.ts';

/** One explanation, with all that a metric may ask about it. */
export interface Explained {
  readonly subject: Subject;
  readonly layout: Layout;
  readonly width: number;
  /** Relevance per pixel of the input. */
  readonly map: Float32Array;
  /** A value per element of the input; null if the method gives a map only. */
  readonly attribution: Float32Array | null;
  readonly convergenceDelta: number | null;
  /** Null for baselines, which have none. */
  readonly milliseconds: number | null;
  /** The model's probability; of a plain number, its position between that of a blank image, 0, and the photo's, 1. */
  readonly confidence: Scorer;
  readonly logit: Scorer;
  /** Explains other images for the same class; null for baselines, which ignore the image. */
  readonly again: ((images: Tensor<'float32'>) => Promise<Float32Array>) | null;
  /** The map of another image for the same class; null for baselines. */
  readonly mapAgain: ((image: Tensor<'float32'>) => Promise<Float32Array>) | null;
  /** The map of the same image from the network with its weights randomised. */
  readonly randomised: (() => Promise<Float32Array>) | null;
}

export interface Metric {
  readonly title: string;
  readonly better: 'high' | 'low' | null;
  /** Null if the metric does not apply. */
  of(explained: Explained): Promise<number | null> | number | null;
}

/** Curves give two metrics, and so does a masked image: each is computed once per explanation. */
function once<T>(compute: (explained: Explained) => Promise<T>) {
  const known = new WeakMap<Explained, Promise<T>>();
  return (explained: Explained): Promise<T> => {
    const value = known.get(explained) ?? compute(explained);
    known.set(explained, value);
    return value;
  };
}

const curves = once<DeletionInsertion>(({ confidence, subject, map, layout }) =>
  deletionInsertion(confidence, subject.input, map, { layout }),
);
const change = once<ConfidenceChange>(({ confidence, subject, map, layout }) =>
  confidenceChange(confidence, subject.input, minMax(map), layout),
);

/** The metrics, each a mean over images. Scores are the model's probabilities; logits only for ROAD and infidelity. */
export const metrics = {
  pointing: {
    title: 'pointing accuracy',
    better: 'high',
    of: ({ map, subject: { mask }, width }) => (mask ? Number(pointsAt(map, mask, { width })) : null),
  },
  mass: {
    title: 'mass on object',
    better: 'high',
    of: ({ map, subject: { mask } }) => (mask ? relevanceMass(map, mask) : null),
  },
  deletion: { title: 'deletion', better: 'low', of: async (e) => (await curves(e)).deletionAuc },
  insertion: { title: 'insertion', better: 'high', of: async (e) => (await curves(e)).insertionAuc },
  'average-drop': { title: 'average drop', better: 'low', of: async (e) => (await change(e)).drop },
  increase: { title: 'increase', better: 'high', of: async (e) => (await change(e)).increase },
  road: {
    title: 'ROAD',
    better: 'high',
    of: async ({ logit, subject, map, layout }) =>
      (await road(logit, subject.input, minMax(map), { layout })).combined,
  },
  arcc: {
    title: 'ARCC',
    better: 'high',
    of: async ({ confidence, subject, map, mapAgain, layout }) =>
      mapAgain &&
      (
        await arcc(confidence, subject.input, minMax(map), async (image) => minMax(await mapAgain(image)), {
          layout,
        })
      ).arcc,
  },
  infidelity: {
    title: 'infidelity',
    better: 'low',
    of: ({ logit, subject, attribution }) =>
      attribution && infidelity(logit, subject.input, attribution, { normalize: true }),
  },
  'max-sensitivity': {
    title: 'max-sensitivity',
    better: 'low',
    of: ({ again, subject }) => again && maxSensitivity(again, subject.input, { samples: 5 }),
  },
  'convergence-delta': {
    title: 'convergence delta',
    better: 'low',
    of: ({ convergenceDelta }) => convergenceDelta && Math.abs(convergenceDelta),
  },
  randomisation: {
    title: 'randomised: rank corr.',
    better: 'low',
    of: async ({ map, randomised }) => randomised && Math.abs(rankCorrelation(map, await randomised())),
  },
  time: { title: 'ms per image', better: 'low', of: ({ milliseconds }) => milliseconds },
} as const satisfies Record<string, Metric>;

export type MetricId = keyof typeof metrics;
export const metricIds = Object.keys(metrics) as MetricId[];
