import { type Classifier, layerNames } from '@whylight/core';
import { type RegisteredModel, statedSides } from '@whylight/host';

/** Characters of names that the gateway is to keep for one model. */
const most = 131_072;

/**
 * The names of a model's layers, last first, for the gateway to hold requests to; undefined where they depend on the
 * photo's size, or are too many to keep: then it is seen when the explainer is made.
 */
export function knownLayers(model: RegisteredModel, classifier: Classifier): string[][] | undefined {
  if (statedSides(model) === null) return undefined;
  const names = layerNames(classifier);
  return JSON.stringify(names).length <= most ? names : undefined;
}
