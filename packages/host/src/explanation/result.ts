import type { ScoreSpec, ValueScore, Warning } from '@whylight/core';
import type { RegionSpec } from '@whylight/core/image';
import type { Convention } from '@whylight/core/methods';
import type { Prediction, Task } from '../classification/predictions.ts';
import type { PreprocessingReport } from '../models/prepare.ts';

/**
 * What an explanation says, and what `result.json` holds. For one question it is the same each time, except for
 * `milliseconds`.
 */
export interface Result {
  method: string;
  convention: Convention;
  parameters: Record<string, JsonValue>;
  layers: string[];
  task: Task | 'segmentation';
  /** The class; what stands in place of one, in the API's form, with its value as `score`. */
  target: Prediction & (ScoreForm | object);
  /** The five highest: by probability where there is one, else by score. */
  predictions: Prediction[];
  attribution: {
    shape: number[];
    minimum: number;
    maximum: number;
    sum: number;
    convergence_delta: number | null;
    /** Of a map that was min-maxed, how far its highest value lay above its lowest before. */
    scale?: number | null;
  };
  /** How the input was made of the photo: of each part its value and who said it. */
  preprocessing: PreprocessingReport;
  /** Where the model's input lies on the upright photo, in photo pixels. */
  input_region: { x: number; y: number; width: number; height: number };
  image: { width: number; height: number };
  device: string;
  milliseconds: { decode: number; compute: number; render: number };
  warnings: Warning[];
}

/** What is explained in place of a class, or over which region of the photo, in the API's form. */
export type ScoreForm =
  | ValueScore
  | {
      type: 'region';
      class: number;
      region:
        | 'predicted'
        | { box: readonly number[] }
        | { point: readonly number[]; radius: number }
        | { mask: string };
      over: 'sum' | 'mean';
    };

/** A score in the API's form. */
export function formOf(
  score: ScoreSpec | undefined,
  index: number,
  region: RegionSpec = 'predicted',
): ScoreForm | object {
  if (score?.type !== 'region') return score ?? {};
  const place = typeof region === 'object' && 'mask' in region ? { mask: region.mask.name } : region;
  return { type: 'region', class: index, region: place, over: score.over } satisfies ScoreForm;
}

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** A result as the bytes of `result.json`. */
export const resultBytes = (result: Result): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(result, null, 2)}\n`);
