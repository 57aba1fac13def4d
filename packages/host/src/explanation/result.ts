import type { Convention } from '@whylight/core/methods';
import type { Prediction } from '../classification/predictions.ts';

/**
 * What an explanation says, and what `result.json` holds. For one question it is the same each time, except for
 * `milliseconds`.
 */
export interface Result {
  method: string;
  convention: Convention;
  parameters: Record<string, JsonValue>;
  layers: string[];
  target: Prediction;
  /** The five highest scores. */
  predictions: Prediction[];
  attribution: {
    shape: number[];
    minimum: number;
    maximum: number;
    sum: number;
    convergence_delta: number | null;
  };
  /** Where the model's input lies on the upright photo, in photo pixels. */
  input_region: { x: number; y: number; width: number; height: number };
  image: { width: number; height: number };
  device: string;
  milliseconds: { decode: number; compute: number; render: number };
  /** Each a code and, after a colon, what it means, or a note about the model. */
  warnings: string[];
}

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** A result as the bytes of `result.json`. */
export const resultBytes = (result: Result): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(result, null, 2)}\n`);
