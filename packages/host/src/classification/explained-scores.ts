import { type ScoreKind, softmax } from '@whylight/core';

/** The scores of a kind of every class, from its logits: what an explainer of that kind explains. */
export function explainedScores(kind: ScoreKind, logits: Float32Array): Float32Array {
  if (kind === 'logit') return logits;
  const probabilities = softmax(logits);
  if (kind === 'softmax') return probabilities;
  const logarithms = probabilities.map(Math.log);
  return kind === 'log-softmax' ? logarithms : logarithms.map((logarithm, i) => logits[i]! + logarithm);
}
