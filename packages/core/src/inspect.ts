import { gradientRules } from './autodiff/gradient.ts';
import { between, named, unsupportedOn } from './autodiff/path.ts';
import { type ClassifierOptions, type Network, readClassifier } from './classifier/classifier.ts';
import { InputError } from './errors.ts';
import { transformerOf } from './layers/attention.ts';
import { type Layer, layersOf } from './layers/layers.ts';
import { methods } from './methods/index.ts';
import type { Method } from './methods/method.ts';
import { printable } from './onnx/names.ts';

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
  readonly methods: readonly { id: string; works: boolean; reason: string | null }[];
  readonly notes: readonly string[];
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
    methods: methods.map(({ id, needs }) => {
      const without = refusal(network, needs, layers);
      const passed = needs.includes('layer') ? fromLast : unsupported;
      const reason = without ?? (needs.includes('gradient') && passed.size > 0 ? missing(passed) : null);
      return { id, works: reason === null, reason };
    }),
    notes: classifier.notes,
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
