import type { GraphFile } from '../graph-file.ts';
import type { Classifier } from '../model/classifier.ts';
import type { ScoreKind } from '../targets.ts';
import { type Built, built } from './built.ts';
import { imagesOf } from './network.ts';

/** Builds the model itself: image → logits, probabilities if it has any, and scores of another kind if asked. */
export const forwardModel = (classifier: Classifier, score: ScoreKind = 'logit'): Uint8Array =>
  scoresModel(classifier, score).bytes;

/** Builds the same model in the form that is loaded: large weights are apart from the file. */
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
