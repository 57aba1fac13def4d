import { InputError } from './errors.ts';
import { type Attribution, type ExplainerSpec, explained, prepare } from './explainer.ts';
import type { Request } from './graphs/request.ts';
import { isSampled } from './methods/index.ts';
import type { Direct } from './methods/method.ts';
import type { ResolvedMethod } from './methods/resolve.ts';
import type { Classifier } from './model/classifier.ts';
import { jointRun } from './run/direct.ts';
import type { AttributeOptions } from './run/run.ts';
import type { Runtime } from './runtime/runtime.ts';
import type { Target } from './targets.ts';
import type { Tensor } from './tensor.ts';

export interface JointExplainer {
  readonly methods: readonly ResolvedMethod[];
  /** The layers that each method looks at, by tensor name. */
  readonly layers: readonly (readonly string[])[];
  /** What each method gives, in their order. */
  attribute(batch: Tensor, targets: readonly Target[], options?: AttributeOptions): Promise<Attribution[]>;
  close(): Promise<void>;
}

/**
 * Several methods of one classifier as one graph: it has the network once, and once what the methods' backward passes
 * have in common. For methods that one run explains a batch by; each keeps its own layers, score and convention.
 *
 * @throws InputError method_not_supported naming the methods that evaluate many images instead
 */
export async function createJointExplainer(
  classifier: Classifier,
  specs: readonly [ExplainerSpec, ...ExplainerSpec[]],
  runtime: Runtime,
): Promise<JointExplainer> {
  const prepared = specs.map((spec) => prepare(classifier, spec));
  const others = prepared.filter(({ method }) => isSampled(method)).map(({ method }) => method.id);
  if (others.length > 0)
    throw new InputError(
      'method_not_supported',
      `${others.join(', ')}: evaluates many images for one, and cannot share a graph with other methods`,
    );
  const requests = prepared.map(
    ({ method, request }): Request<Direct<never>> => ({ ...request, method: method as Direct<never> }),
  );
  const run = await jointRun(requests, runtime, specs[0].memory);
  return {
    methods: prepared.map(({ resolved }) => resolved),
    layers: requests.map(({ layers }) => layers.map(({ name }) => name)),
    attribute: (batch, targets, options = {}) =>
      explained(classifier, prepared, batch, targets, options, (images) =>
        run.attribute(images, targets, options),
      ),
    close: run.close,
  };
}
