import type { Layer } from '../layers/layers.ts';
import type { Method, Setting } from '../methods/method.ts';
import type { Classifier } from '../model/classifier.ts';
import type { ScoreKind } from '../targets.ts';

/** A request for a method on one classifier: its setting, layers and kind of score. */
export interface Request {
  readonly classifier: Classifier;
  readonly method: Method;
  readonly setting: Setting<unknown>;
  readonly layers: readonly Layer[];
  readonly score: ScoreKind;
}
