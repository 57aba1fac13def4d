import { type Classifier, layerNames } from '@whylight/core';
import { type RegisteredModel, statedSides } from '@whylight/host';

/** Most characters of names that the gateway keeps for one model. */
const most = 131_072;

/**
 * Lists the names of a model's layers, last first, for the gateway to check requests; undefined if they depend on the
 * photo's size, or are too many to keep: then the worker checks when it makes the explainer.
 */
export function knownLayers(model: RegisteredModel, classifier: Classifier): string[][] | undefined {
  if (statedSides(model) === null) return undefined;
  const names = layerNames(classifier);
  return JSON.stringify(names).length <= most ? names : undefined;
}
