import type { GraphFile } from '../graph-file.ts';
import type { Classifier } from '../model/classifier.ts';
import type { ScoreKind } from '../targets.ts';
import { type Built, built } from './built.ts';
import { imagesOf } from './network.ts';

/** The model itself: image → logits, its probabilities where it gives any, and scores of another kind if asked. */
export const forwardModel = (classifier: Classifier, score: ScoreKind = 'logit'): Uint8Array =>
  scoresModel(classifier, score).bytes;

/** The same as it is loaded: large weights lie beside the file. */
export const forwardGraph = (classifier: Classifier, score: ScoreKind = 'logit'): GraphFile =>
  scoresModel(classifier, score).file;

function scoresModel(classifier: Classifier, score: ScoreKind): Built {
  const { g, logits, scores } = imagesOf(classifier);
  const probabilities = scores.probabilities();
  return built(g, {
    logits,
    ...(probabilities !== null && { probabilities }),
    ...(score !== 'logit' && { scores: scores.of(score) }),
  });
}
