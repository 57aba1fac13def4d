import type { Layer } from '../layers/layers.ts';
import type { Setting } from '../methods/method.ts';
import type { Classifier } from '../model/classifier.ts';
import type { ScoreKind } from '../targets.ts';

/** A method as it was asked for, of one classifier. */
export interface Request<M> {
  readonly classifier: Classifier;
  readonly method: M;
  readonly setting: Setting<never>;
  readonly layers: readonly Layer[];
  readonly score: ScoreKind;
}
