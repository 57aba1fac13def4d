import type { Prediction } from '@whylight/core/preparation';

/** The result that is recorded into the build: `npm run record -w apps/web` writes it. */
export interface Recorded {
  readonly photo: { readonly width: number; readonly height: number };
  readonly predictions: readonly Prediction[];
  readonly maps: readonly RecordedMap[];
}

interface RecordedMap {
  readonly method: string;
  readonly title: string;
  readonly width: number;
  readonly height: number;
}
