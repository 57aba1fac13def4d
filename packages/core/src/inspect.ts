import { gradientRules } from './autodiff/gradient.ts';
import { between, named, unsupportedOn } from './autodiff/path.ts';
import { InputError } from './errors.ts';
import { withoutOthers } from './explainer.ts';
import { transformerOf } from './layers/attention.ts';
import { chooseLayers, type Layer, layersOf } from './layers/layers.ts';
import { claimed, remarksOn } from './methods/claims.ts';
import { methods, resolveMethod } from './methods/index.ts';
import type { Axiom, Method } from './methods/method.ts';
import { type ClassifierOptions, type Network, readClassifier } from './model/classifier.ts';
import { printable } from './onnx/names.ts';
import { warningText } from './warning.ts';

/** Whether and how a model can be explained. */
export interface ModelReport {
  readonly opset: number;
  readonly producer: string;
  readonly nodes: number;
  readonly inputs: readonly { name: string; dtype: string; shape: readonly (number | string)[] }[];
  readonly outputs: readonly string[];
  readonly input_shape: readonly number[];
  readonly layout: 'NCHW' | 'NHWC';
  readonly classes: number;
  /** Feature maps that a CAM can look at, [channels, height, width], last first. */
  readonly layers: readonly { name: string; shape: readonly number[] }[];
  /** Operators without a derivative rule, and the nodes that use them. */
  readonly unsupported: readonly { op: string; nodes: readonly string[] }[];
  readonly methods: readonly MethodReport[];
  readonly notes: readonly string[];
}

export interface MethodReport {
  readonly id: string;
  readonly works: boolean;
  /** Why it does not work; or what is to be known of it on this model. */
  readonly reason: string | null;
  /** What holds of its attributions on this model, with default parameters. */
  readonly axioms: readonly Axiom[];
}

/** What `whylight check` tells. @throws InputError for a model that is refused altogether */
export function inspect(bytes: Uint8Array, options?: ClassifierOptions): ModelReport {
  const classifier = readClassifier(bytes, options);
  const { file } = classifier;
  const network = classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
  const unsupported = unsupportedOn(between(network.g, [network.image], [network.logits]), gradientRules);
  const layers = layersOf(network);
  const last = layers.at(-1);
  const fromLast = last
    ? unsupportedOn(between(network.g, [last.name], [network.logits]), gradientRules)
    : new Map<string, string[]>();
  const missing = (found: typeof unsupported) => `no derivative rule for ${named(found)}`;
  return {
    opset: file.graph.opset,
    producer: file.producer,
    nodes: file.graph.nodes.length,
    inputs: file.graph.inputs.map((input) => ({ ...input, name: printable(input.name) })),
    outputs: file.graph.outputs.map(printable),
    input_shape: classifier.inputShape,
    layout: classifier.layout,
    classes: classifier.classes,
    layers: layers.toReversed().map(({ name, shape }) => ({ name: printable(name), shape })),
    unsupported: [...unsupported].map(([op, nodes]) => ({ op, nodes: nodes.map(printable) })),
    methods: methods.map((method) => {
      const { id, needs } = method;
      const without =
        method.needsOtherClasses && classifier.classes === 1
          ? withoutOthers(method)
          : refusal(network, needs, layers);
      const passed = needs.includes('layer') ? fromLast : unsupported;
      const reason = without ?? (needs.includes('gradient') && passed.size > 0 ? missing(passed) : null);
      return reason === null
        ? { id, works: true, ...aboutOf(method, network) }
        : { id, works: false, reason, axioms: [] };
    }),
    notes: classifier.notes.map(({ message }) => message),
  };
}

/** What holds of a method that works, with default parameters, at the layer that is found. */
function aboutOf(method: Method, network: Network): Pick<MethodReport, 'reason' | 'axioms'> {
  const { convention, params } = resolveMethod({ method: method.id });
  const layers = method.needs.includes('layer')
    ? chooseLayers(network, [], convention).map(({ name }) => network.resolve(name))
    : [];
  const asked = { convention, params: method.params.parse(params) };
  const seen = { ...network, layers };
  const remarks = remarksOn(method, asked, seen);
  return {
    reason: remarks.length > 0 ? remarks.map(warningText).join('; ') : null,
    axioms: claimed(method, asked, seen),
  };
}

/** Why a network lacks what a method looks at. */
function refusal(network: Network, needs: Method['needs'], layers: readonly Layer[]): string | null {
  if (needs.includes('layer') && layers.length === 0)
    return 'the model has no feature map between image and scores';
  if (!needs.includes('attention')) return null;
  try {
    transformerOf(network);
    return null;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}
