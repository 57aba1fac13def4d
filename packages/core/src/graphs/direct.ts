import type { GraphFile } from '../graph-file.ts';
import type { Direct, Setting } from '../methods/method.ts';
import type { Classifier } from '../model/classifier.ts';
import type { Value } from '../onnx/builder.ts';
import { add, mul } from '../onnx/emit.ts';
import type { ScoreKind } from '../targets.ts';
import { type Built, built } from './built.ts';
import { imagesOf, lookedAt } from './network.ts';
import type { Request } from './request.ts';
import { oneHot, resolved, subjectOf } from './subject.ts';

/** The model itself: image → logits, its probabilities where it gives any, and scores of another kind if asked. */
export const forwardModel = (classifier: Classifier, score: ScoreKind = 'logit'): Uint8Array =>
  scoresModel(classifier, score).bytes;

/** The same as it is loaded: large weights lie beside the file. */
export const forwardGraph = (classifier: Classifier, score: ScoreKind = 'logit'): GraphFile =>
  scoresModel(classifier, score).file;

export function scoresModel(classifier: Classifier, score: ScoreKind = 'logit'): Built {
  const { g, logits, scores } = imagesOf(classifier);
  const probabilities = scores.probabilities();
  return built(g, {
    logits,
    ...(probabilities !== null && { probabilities }),
    ...(score !== 'logit' && { scores: scores.of(score) }),
  });
}

/**
 * A direct method: image, class_index → attribution, logits, target. Class index -1 is the predicted class.
 *
 * @param how sums: also of sums of classes, takes class_weight and class_weights besides (`targetInputs`); facts:
 *   gives besides, where there are any, the model's probabilities, the scores that are explained if these are not the
 *   logits, and the scale of a map that is min-maxed
 */
export function directModel(request: Request<Direct<never>>, { sums = false, facts = false } = {}): Built {
  const { classifier, method, setting } = request;
  const network = lookedAt(request, (g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
  const { g, logits, probabilities } = network;
  const target = resolved(g, g.input('class_index', 'int64', [-1]), logits);
  const { classes } = classifier;
  const single = oneHot(g, target, classes);
  const weighed = () =>
    add(
      g,
      mul(g, single, g.input('class_weight', 'float32', [-1, 1])),
      g.input('class_weights', 'float32', [-1, classes]),
    );
  const subject = sums ? subjectOf(network, weighed()) : subjectOf(network, single, target);
  let scale: Value | undefined;
  const asked = { ...setting, tellScale: (told: Value) => (scale = told) } as Setting<never>;
  const attribution = g.within('explain', () => method.build(subject, asked));
  return built(g, {
    attribution,
    logits,
    target,
    ...(facts && probabilities !== null && { probabilities }),
    ...(facts && network.scored !== logits && { scores: network.scored }),
    ...(facts && scale !== undefined && { scale }),
  });
}
