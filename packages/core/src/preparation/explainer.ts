import { createExplainer, type Explainer, type ExplainerSpec } from '../explainer.ts';
import { takesLayers } from '../methods/index.ts';
import type { Classifier } from '../model/classifier.ts';
import type { Runtime } from '../runtime/runtime.ts';

/**
 * Creates an explainer for a specification. If it names no layer, the layer that the model's manifest names
 * (`cam_tensor`) is tried before the layer that the engine finds.
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
