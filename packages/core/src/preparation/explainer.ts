import { createExplainer, type Explainer, type ExplainerSpec } from '../explainer.ts';
import { takesLayers } from '../methods/index.ts';
import type { Classifier } from '../model/classifier.ts';
import type { Runtime } from '../runtime/runtime.ts';

/**
 * An explainer of what is asked for. Where no layer is, the one that the model's manifest names (`cam_tensor`) is tried
 * before the one that is found.
 *
 * @throws InputError
 */
export async function explainerFor(
  classifier: Classifier,
  spec: ExplainerSpec,
  camTensor: string | undefined,
  runtime: Runtime,
): Promise<Explainer> {
  const explainer = (layers = spec.layers) => createExplainer(classifier, { ...spec, layers }, runtime);
  const isOpen = (spec.layers ?? []).length === 0 && takesLayers(spec);
  return camTensor !== undefined && isOpen ? explainer([camTensor]).catch(() => explainer([])) : explainer();
}
