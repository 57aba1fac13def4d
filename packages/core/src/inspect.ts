import { gradientRules } from './autodiff/gradient.ts';
import { between, named, unsupportedOn } from './autodiff/path.ts';
import { InputError } from './errors.ts';
import { withoutOthers } from './explainer.ts';
import type { GraphFile } from './graph-file.ts';
import { transformerOf } from './layers/attention.ts';
import { chooseLayers } from './layers/choose.ts';
import { foundLayer, surveyOf } from './layers/find.ts';
import type { Layer } from './layers/layers.ts';
import { notesOn } from './layers/notes.ts';
import { claimed, remarksOn } from './methods/claims.ts';
import { methods, resolveMethod } from './methods/index.ts';
import type { Axiom, Method } from './methods/method.ts';
import { formulaParameters } from './methods/parameters.ts';
import { recommendedMethods } from './methods/recommended.ts';
import { findMethod } from './methods/resolve.ts';
import { type Classifier, type ClassifierOptions, type Network, readClassifier } from './model/classifier.ts';
import { type OutputSeen, outputsSeen, type Purpose, taskSeen } from './model/outputs-seen.ts';
import { NoClassScores } from './model/scores.ts';
import type { Value } from './onnx/builder.ts';
import { printable } from './onnx/names.ts';
import { scoreNotes } from './programs/score-notes.ts';
import { warningText } from './warning.ts';

/** Whether and how a model can be explained, as far as its file tells. */
export interface ModelReport {
  readonly opset: number;
  readonly producer: string;
  readonly nodes: number;
  readonly inputs: readonly { name: string; dtype: string; shape: readonly (number | string)[] }[];
  readonly outputs: readonly string[];
  /** What each output gives, and how to explain a number of it. */
  readonly scores: readonly OutputSeen[];
  /** What the model does, and what shows it. */
  readonly seen: { readonly purpose: Purpose; readonly why: string };
  readonly input_shape: readonly number[];
  readonly layout: 'NCHW' | 'NHWC';
  readonly classes: number;
  /** Feature maps that a CAM can look at, [channels, height, width], last first. */
  readonly layers: readonly { name: string; shape: readonly number[] }[];
  /** Operators without a derivative rule, and the nodes that use them. */
  readonly unsupported: readonly { op: string; nodes: readonly string[] }[];
  readonly methods: readonly MethodReport[];
  /** Methods that suit this network, the best first: what is explained by where nothing else is asked. */
  readonly recommended: readonly string[];
  readonly notes: readonly string[];
}

export interface MethodReport {
  readonly id: string;
  /** Whether nothing in the file speaks against it. */
  readonly works: boolean;
  /** Why it does not work, or the notes on how it works on this model. */
  readonly reason: string | null;
  /** What holds of its attributions on this model, with default parameters. */
  readonly axioms: readonly Axiom[];
}

/** What the file alone tells: nothing is run. @throws InputError for a model that is refused altogether */
export const inspect = (model: Uint8Array | GraphFile, options?: ClassifierOptions): ModelReport =>
  inspectClassifier(readClassifier(model, options));

/**
 * Reads a model for a report on it: as a classifier, or where no output scores classes, for the first number that can be
 * explained.
 *
 * @throws InputError for a model that is refused altogether
 */
export function readForReport(model: Uint8Array | GraphFile, options: ClassifierOptions = {}): Classifier {
  try {
    return readClassifier(model, options);
  } catch (error) {
    if (!(error instanceof NoClassScores) || error.output === undefined) throw error;
    const whole = readClassifier(model, { ...options, score: `output:${error.output}` });
    const outputs = outputsSeen(whole);
    const { why } = taskSeen(outputs);
    const first = outputs.find(({ name }) => name === error.output)!;
    const read = whole.explaining(first.score!);
    const message = `no output scores classes: ${why}; this report is about the score ${first.score}, and --score takes any other`;
    return { ...read, notes: [{ code: 'no_class_scores', message }, ...read.notes] };
  }
}

/** The same of a model that has been read. */
export function inspectClassifier(classifier: Classifier): ModelReport {
  const { file } = classifier;
  const study = studied(classifier);
  const { network, found, unsupported, obstacle } = study;
  const seen = outputsSeen(classifier);
  return {
    opset: file.graph.opset,
    producer: file.producer,
    nodes: file.graph.nodes.length,
    inputs: file.graph.inputs.map((input) => ({ ...input, name: printable(input.name) })),
    outputs: file.graph.outputs.map(printable),
    scores: seen.map((output) => ({ ...output, name: printable(output.name) })),
    seen: taskSeen(seen),
    input_shape: classifier.inputShape,
    layout: classifier.layout,
    classes: classifier.classes,
    layers: surveyOf(network)
      .layers.toReversed()
      .map(({ name, shape }) => ({ name: printable(name), shape })),
    unsupported: [...unsupported].map(([op, nodes]) => ({ op, nodes: nodes.map(printable) })),
    methods: methods.map((method) => {
      const reason = obstacle(method);
      return reason === null
        ? { id: method.id, works: true, ...aboutOf(method, network) }
        : { id: method.id, works: false, reason, axioms: [] };
    }),
    recommended: recommendedOf(study),
    notes: [
      ...classifier.notes,
      ...scoreNotes(network, classifier.score),
      ...notesOn(network, found ? [found] : []),
    ].map(({ message }) => message),
  };
}

/** The methods that suit a classifier, the best first. */
export const recommendedFor = (classifier: Classifier): readonly string[] =>
  recommendedOf(studied(classifier));

const recommendedOf = ({ network, found, obstacle }: Study): string[] =>
  recommendedMethods(network, found, (id) => obstacle(findMethod(id)) === null);

interface Study {
  readonly network: Network;
  /** The layer that stands for the network, if it has one. */
  readonly found: Layer | undefined;
  /** Operators without a derivative rule. */
  readonly unsupported: ReadonlyMap<string, readonly string[]>;
  /** Why a method does not work, as far as the file tells. */
  obstacle(method: Method): string | null;
}

function studied(classifier: Classifier): Study {
  const network = classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
  const without = (from: Value) => unsupportedOn(between(network.g, [from], [network.logits]), gradientRules);
  const unsupported = without(network.image);
  const found = surveyOf(network).layers.length > 0 ? foundLayer(network, 'paper') : undefined;
  const afterFound = found ? without(found.name) : unsupported;
  return {
    network,
    found,
    unsupported,
    obstacle(method) {
      const { needs } = method;
      if (method.needsOtherClasses && classifier.classes === 1) return withoutOthers(method, classifier);
      const passed = needs.includes('layer') ? afterFound : unsupported;
      return (
        refusal(network, needs) ??
        (needs.includes('gradient') && passed.size > 0 ? `no derivative rule for ${named(passed)}` : null)
      );
    },
  };
}

/** What holds of a method that works, with default parameters, at the layer that is found. */
function aboutOf(method: Method, network: Network): Pick<MethodReport, 'reason' | 'axioms'> {
  const { convention, parameters } = resolveMethod({ method: method.id });
  const layers = method.needs.includes('layer')
    ? chooseLayers(network, [], convention).map(({ name }) => network.resolve(name))
    : [];
  const asked = { convention, parameters: formulaParameters(method, parameters) };
  const seen = { ...network, layers };
  const remarks = remarksOn(method, asked, seen);
  return {
    reason: remarks.length > 0 ? remarks.map(warningText).join('; ') : null,
    axioms: claimed(method, asked, seen),
  };
}

/** Why a network lacks what a method looks at. */
function refusal(network: Network, needs: Method['needs']): string | null {
  try {
    if (needs.includes('layer')) foundLayer(network, 'paper');
    if (needs.includes('attention')) transformerOf(network);
    return null;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}
