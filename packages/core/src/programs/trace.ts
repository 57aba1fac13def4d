import { InputError } from '../errors.ts';
import type { Samples, Subject } from '../methods/method.ts';
import type { Value } from '../onnx/builder.ts';
import { Expression } from '../onnx/expression.ts';
import type { Tensor } from '../tensor.ts';
import type { Block } from './block.ts';
import { filled, lookedAt } from './network.ts';
import { RegionOfImages } from './region.ts';
import type { Request } from './request.ts';
import { evaluated, resolved } from './subject.ts';
import { Tracer } from './tracer.ts';

/** A method's formula as a graph with loops. */
export interface Program {
  readonly block: Block;
  /** What it gives, by the names that its users know. */
  readonly outputs: ReadonlyMap<Output, Value>;
  /** Tensors that are the same for all images, by the inputs that take them. */
  readonly given: ReadonlyMap<Value, Tensor>;
  /** Images that one run explains; as many as there is room for if not said. */
  readonly images: number | undefined;
}

/**
 * attribution; logits [N, classes]; target [N]; the model's probabilities where it gives any; the scores that are
 * explained if they are not the logits; at how many pixels of a region each class is predicted; the scale of a map that is min-maxed; of attributions that add up, what does if
 * they do not themselves (shares), and the score that they start from (reference).
 */
export type Output =
  | 'attribution'
  | 'logits'
  | 'target'
  | 'probabilities'
  | 'scores'
  | 'pixels'
  | 'scale'
  | 'shares'
  | 'reference';

export interface TraceOptions {
  /** Takes sums of classes: class_weight and class_weights besides class_index (`targetInputs`). */
  readonly sums?: boolean;
  /** Gives all that is known, not only attribution, logits and target. */
  readonly facts?: boolean;
  /** Recorded samples, by name. */
  readonly aux?: Samples;
  /** Tensors that are the same for all images are constants, and no inputs. */
  readonly constant?: boolean;
}

/**
 * Builds the graphs of a method: image [N, C, H, W], class_index [N] → its outputs. Class index -1 is the predicted class.
 *
 * @throws InputError when the method does not suit the network
 */
export function trace(
  request: Request,
  { sums = false, facts = false, aux = {}, constant = false }: TraceOptions = {},
): Program {
  const { classifier, method, setting } = request;
  checkAux(request, aux);
  const g = classifier.newGraph();
  const images = method.sampled ? 1 : classifier.batch;
  const size = images ?? -1;
  const input = (name: string, dtype: 'float32' | 'int64', shape: readonly number[]) =>
    new Expression(g, g.input(name, dtype, [size, ...shape]));
  const image = input('image', 'float32', classifier.inputShape);
  const asked = input('class_index', 'int64', []);
  const region =
    classifier.pixels &&
    new RegionOfImages(input('region', 'float32', classifier.pixels), asked, method.sampled === true);
  const network = lookedAt(request, g, filled(g, image.name, classifier.batch), region);
  const row = (value: Value) => {
    const rows = new Expression(g, value);
    return method.sampled && rows.shape[0] !== 1 ? rows.slice(0, 0, 1) : rows;
  };
  const logits = row(network.logits);
  const target = region?.found.target ?? resolved(asked, logits);
  const single = target.oneHot(classifier.classes);
  const chosen = sums
    ? single
        .mul(input('class_weight', 'float32', [1]))
        .add(input('class_weights', 'float32', [classifier.classes]))
    : single;
  const outputs = new Map<Output, Value>();
  const tell = (name: Output, value: Expression) => {
    if (facts) outputs.set(name, value.name);
  };
  const addsUp: Subject['addsUp'] = (shares, from) => {
    if (!facts) return;
    tell('shares', shares);
    tell('reference', from());
  };
  if (region) tell('pixels', region.found.counts);
  const tracer = new Tracer(request, aux, g, chosen, constant, region?.captured);
  g.scope = 'explain';
  const subject = tracer.subject(
    evaluated(network, { image, chosen, target: sums ? undefined : target }),
    addsUp,
  );
  const attribution = method.explain(subject, { ...setting, tellScale: (scale) => tell('scale', scale) });
  g.scope = '';
  if (network.probabilities !== null) tell('probabilities', row(network.probabilities));
  if (network.scored !== network.logits) tell('scores', row(network.scored));
  outputs.set('attribution', attribution.name).set('logits', logits.name).set('target', target.name);
  return { block: tracer.block, outputs, given: tracer.tensors, images };
}

function checkAux({ method }: Request, aux: Samples): void {
  const known = method.aux ?? [];
  const unknown = Object.keys(aux).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new InputError(
      'invalid_parameter',
      `aux ${JSON.stringify(unknown)}: ${method.id} has ${known.join(', ') || 'none'}`,
    );
}
