import {
  type Classifier,
  createExplainer,
  type Explainer,
  type ExplainerSpec,
  type Runtime,
} from '@whylight/core';
import { methods } from '@whylight/core/methods';

/**
 * An explainer of what is asked for. Where no layer is, `hint`, the layer that a manifest names, is tried before the one
 * that is found.
 *
 * @throws InputError
 */
export async function hintedExplainer(
  classifier: Classifier,
  spec: ExplainerSpec,
  hint: string | undefined,
  runtime: Runtime,
): Promise<Explainer> {
  const explainer = (layers = spec.layers) => createExplainer(classifier, { ...spec, layers }, runtime);
  const takesHint =
    (spec.layers ?? []).length === 0 && methods.find(({ id }) => id === spec.method)?.needs.includes('layer');
  return hint !== undefined && takesHint ? explainer([hint]).catch(() => explainer([])) : explainer();
}
