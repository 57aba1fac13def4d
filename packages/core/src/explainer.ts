import { emptyWarnings } from './empty-attribution.ts';
import { InputError } from './errors.ts';
import { attributeEach } from './found-samples.ts';
import { chooseLayers } from './layers/choose.ts';
import { notesOn } from './layers/notes.ts';
import { remarksOn } from './methods/claims.ts';
import type { Convention, Method, Normalisation } from './methods/index.ts';
import { kindOf, needsOf, type Setting } from './methods/method.ts';
import { formulaParameters } from './methods/parameters.ts';
import {
  checkLayerCount,
  defaultScore,
  findMethod,
  type ResolvedMethod,
  resolveMethod,
} from './methods/resolve.ts';
import type { Classifier } from './model/classifier.ts';
import { isValueScore, scoreText, type ValueScoreText } from './model/score-spec.ts';
import { quoted } from './onnx/names.ts';
import { writeModel } from './onnx/write.ts';
import { checkPredicted, checkRegions } from './programs/check-regions.ts';
import { compile } from './programs/compile.ts';
import type { AttributeOptions, Outcome } from './programs/outcome.ts';
import type { Request } from './programs/request.ts';
import { programRun } from './programs/run.ts';
import { scoreNotes } from './programs/score-notes.ts';
import type { Runtime } from './runtime/runtime.ts';
import { checkTarget, type ScoreKind, type Target } from './targets.ts';
import type { Tensor } from './tensor.ts';
import type { Warning } from './warning.ts';

export type { AttributeOptions, LoopState } from './programs/outcome.ts';

export interface ExplainerSpec {
  readonly method: string;
  readonly convention?: Convention | undefined;
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  /** Tensor names, or indices from the end (`-1`); found when empty. */
  readonly layers?: readonly string[] | undefined;
  /**
   * The kind of score that is explained; the method's own, mostly logits, if not said. Or any number that the network
   * computes: `output:NAME[INDEX].sum`, `tensor:NAME[INDEX].sum`, which stands in place of the classes.
   */
  readonly score?: ScoreKind | ValueScoreText | undefined;
  /** The model's normalisation, for baselines such as black. */
  readonly normalisation?: Normalisation | undefined;
  /** What a run may hold at once, in bytes: rows are cut into chunks accordingly. The runtime's if not said. */
  readonly memory?: number | undefined;
  /** `false`: every row is computed in full, also where only a part of it can differ from the image. */
  readonly incremental?: boolean | undefined;
}

export interface Attribution extends Outcome {
  /** Warnings that hold for every image, then those of some images. */
  readonly warnings: readonly Warning[];
  /** The warnings of each image. */
  readonly rowWarnings: readonly (readonly Warning[])[];
}

export interface Explainer {
  readonly method: ResolvedMethod;
  /** The layers looked at, by tensor name. */
  readonly layers: readonly string[];
  /** What every attribution warns of, whatever the image. */
  readonly notes: readonly Warning[];
  attribute(batch: Tensor, targets: readonly Target[], options?: AttributeOptions): Promise<Attribution>;
  close(): Promise<void>;
}

/** An explainer of one classifier by one method, loaded into a runtime. @throws InputError */
export async function createExplainer(
  model: Classifier,
  spec: ExplainerSpec,
  runtime: Runtime,
): Promise<Explainer> {
  const { classifier, resolved, request, notes } = prepare(model, spec);
  const { method } = request;
  const samplesOf = method.samplesFrom?.(request.setting);
  const run = await programRun(request, runtime, spec.memory);
  return {
    method: resolved,
    layers: request.layers.map(({ name }) => name),
    notes,
    async attribute(batch, targets, options = {}) {
      checkBatch(classifier, batch, targets);
      if (method.oneClass && targets.some((target) => typeof target !== 'number'))
        throw new InputError('invalid_parameter', `${method.id} explains one class, not a sum of classes`);
      if (options.regions) checkRegions(classifier, options.regions, targets.length);
      const images = batch as Tensor<'float32'>;
      const outcome = await (samplesOf
        ? attributeEach(run, samplesOf, images, targets, options)
        : run.attribute(images, targets, options));
      checkFinite(outcome.logits, 'the model');
      checkFinite(outcome.attribution, method.id);
      checkPredicted(outcome, options.regions);
      const rowWarnings = targets.map((_, n) => emptyWarnings(outcome, n, method, request.score));
      return { ...outcome, rowWarnings, warnings: [...notes, ...together(rowWarnings)] };
    },
    close: run.close,
  };
}

/** The explainer itself as one ONNX file: image batch and class index in, attribution, logits and target out. */
export function compileExplainer(model: Classifier, spec: ExplainerSpec): Uint8Array {
  const { classifier, resolved, request } = prepare(model, spec);
  if (request.method.samplesFrom?.(request.setting))
    throw new InputError(
      'method_not_supported',
      `${resolved.id} with these parameters finds its segments in each photo, which no graph does: compile it with segments=grid`,
    );
  const metadata = {
    'whylight.method': resolved.id,
    'whylight.method_version': resolved.version,
    'whylight.convention': resolved.convention,
    'whylight.parameters': JSON.stringify(resolved.parameters),
    'whylight.layers': JSON.stringify(request.layers.map(({ name }) => name)),
    'whylight.score': classifier.score ? scoreText(classifier.score) : resolved.score,
    'whylight.inputs': `image: normalised batch; class_index: one per image, -1 for the predicted class${classifier.pixels ? '; region: how much each pixel of the output counts, -1 for one where the model predicts the class' : ''}`,
    'whylight.outputs': `attribution: ${kindOf(request.method, resolved.parameters)}; logits: scores before the last squashing function; target: the class explained`,
  };
  const { graph, outputs } = compile(request, spec.memory);
  return writeModel(graph, outputs, metadata);
}

/** Why a method does not suit a model of one output. */
export const withoutOthers = ({ id }: Method, { score }: Classifier): string =>
  `${id} compares a class with other classes, but ${score ? `the score ${quoted(scoreText(score))} is one number` : 'the model has only one output'}: use grad-cam`;

export function prepare(given: Classifier, spec: ExplainerSpec) {
  const { score } = spec;
  const classifier = score !== undefined && isValueScore(score) ? given.explaining(score) : given;
  const asked = resolveMethod(spec);
  const named = findMethod(asked.id);
  const method: Method = named.variant?.(asked.parameters) ?? named;
  if (method.needsOtherClasses && classifier.classes === 1)
    throw new InputError('method_not_supported', withoutOthers(method, classifier));
  // A method that looks at probabilities by itself, said or not, takes the output where that is a plain number.
  const isItsOwn = asked.score === defaultScore(method, asked.convention);
  const isPlain = classifier.head.kind === 'number' && isItsOwn;
  const resolved = isPlain ? { ...asked, score: 'logit' as const } : asked;
  const layersNamed = spec.layers ?? [];
  checkLayerCount(resolved, layersNamed.length);
  const network = classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
  const layers = needsOf(method, resolved.parameters).includes('layer')
    ? chooseLayers(network, layersNamed, resolved.convention)
    : [];
  const [a, b, c] = classifier.inputShape as [number, number, number];
  const setting = {
    parameters: formulaParameters(method, resolved.parameters),
    convention: resolved.convention,
    inputShape: classifier.inputShape,
    layout: classifier.layout,
    height: classifier.layout === 'NCHW' ? b : a,
    width: classifier.layout === 'NCHW' ? c : b,
    normalisation: spec.normalisation,
    layerShapes: layers.map(({ shape }) => shape),
    layerValues: layers.map(({ name, form }) => ({ name, form })),
    layerRegions: layers.map(({ region }) => region),
    incremental: spec.incremental !== false && (classifier.batch ?? 1) === 1,
  } satisfies Setting<unknown>;
  const seen = { ...network, layers: layers.map(({ name }) => network.resolve(name)) };
  const notes = [
    ...classifier.notes,
    ...scoreNotes(network, classifier.score),
    ...remarksOn(method, setting, seen),
    ...notesOn(network, layers),
  ];
  const request: Request = { classifier, method, setting, layers, score: resolved.score };
  return { classifier, resolved, notes, request };
}

function checkBatch(classifier: Classifier, batch: Tensor, targets: readonly Target[]): void {
  const [n, ...shape] = batch.shape;
  if (batch.dtype !== 'float32' || shape.join() !== classifier.inputShape.join() || !n)
    throw new InputError(
      'invalid_tensor',
      `the model takes float32 [N, ${classifier.inputShape.join(', ')}], got ${batch.dtype} [${batch.shape.join(', ')}]`,
    );
  if (targets.length !== n)
    throw new InputError('invalid_parameter', `${n} images need ${n} targets, got ${targets.length}`);
  for (const target of targets) checkTarget(target, classifier.classes);
}

function checkFinite({ data }: Tensor<'float32'>, what: string): void {
  let zero = 0; // NaN as soon as one value is not finite; a call for each value would take a tenth of a small network's pass
  for (let i = 0; i < data.length; i++) zero += data[i]! * 0;
  if (zero !== 0)
    throw new InputError('non_finite_output', `${what} gives NaN or infinite values for this input`);
}

/** The warnings of all images, with the number of each where there are several. */
const together = (rows: readonly (readonly Warning[])[]): Warning[] =>
  rows.flatMap((warnings, n) =>
    rows.length === 1
      ? warnings
      : warnings.map(({ code, message }) => ({ code, message: `image ${n}: ${message}` })),
  );
