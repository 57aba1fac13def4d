import { compileDirect } from './compile/direct.ts';
import { compileSampled } from './compile/sampled.ts';
import { emptyWarnings } from './empty-attribution.ts';
import { InputError } from './errors.ts';
import type { Request } from './graphs/request.ts';
import { chooseLayers } from './layers/choose.ts';
import type { Layer } from './layers/layers.ts';
import { notesOn } from './layers/notes.ts';
import { remarksOn } from './methods/claims.ts';
import { type Convention, isSampled, type Method, type Normalisation } from './methods/index.ts';
import type { Direct, Sampled, Setting } from './methods/method.ts';
import { checkLayerCount, findMethod, type ResolvedMethod, resolveMethod } from './methods/resolve.ts';
import type { Classifier } from './model/classifier.ts';
import { writeModel } from './onnx/write.ts';
import { directRun } from './run/direct.ts';
import type { AttributeOptions, Outcome, Run } from './run/run.ts';
import { sampledRun } from './run/sampled.ts';
import type { Runtime } from './runtime/runtime.ts';
import { checkTarget, type ScoreKind, type Target } from './targets.ts';
import type { Tensor } from './tensor.ts';
import type { Warning } from './warning.ts';

export type { AttributeOptions } from './run/run.ts';

export interface ExplainerSpec {
  readonly method: string;
  readonly convention?: Convention | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  /** Tensor names, or indices from the end (`-1`); found when empty. */
  readonly layers?: readonly string[] | undefined;
  /** The kind of score that is explained; the method's own, mostly logits, if not said. */
  readonly score?: ScoreKind | undefined;
  /** The model's normalisation, for baselines such as black. */
  readonly normalisation?: Normalisation | undefined;
  /** What a run may hold at once, in bytes: rows are cut into chunks accordingly. The runtime's if not said. */
  readonly memory?: number | undefined;
  /** `false`: every row is computed in full, also where only a part of it can differ from the image. */
  readonly incremental?: boolean | undefined;
}

export interface Attribution extends Outcome {
  /** What holds for every image, then what is to be said of some of them. */
  readonly warnings: readonly Warning[];
  /** What is to be said of each image alone. */
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
  classifier: Classifier,
  spec: ExplainerSpec,
  runtime: Runtime,
): Promise<Explainer> {
  const { method, resolved, request, notes } = prepare(classifier, spec);
  const run = await (isSampled(method)
    ? (spec.incremental === false ? sampledRun : cheapestRun)({ ...request, method }, runtime, spec.memory)
    : directRun({ ...request, method: method as Direct<never> }, runtime, spec.memory));
  return {
    method: resolved,
    layers: request.layers.map(({ name }) => name),
    notes,
    async attribute(batch, targets, options = {}) {
      const [attribution] = await explained(
        classifier,
        [{ method, notes, request }],
        batch,
        targets,
        options,
        async (images) => [await run.attribute(images, targets, options)],
      );
      return attribution!;
    },
    close: run.close,
  };
}

/** What `run` gives for a batch that suits the classifier, and finite. @throws InputError */
export async function explained(
  classifier: Classifier,
  methods: readonly {
    readonly method: Method;
    readonly notes: readonly Warning[];
    readonly request: { readonly score: ScoreKind };
  }[],
  batch: Tensor,
  targets: readonly Target[],
  { aux = {} }: AttributeOptions,
  run: (batch: Tensor<'float32'>) => Promise<Outcome[]>,
): Promise<Attribution[]> {
  checkBatch(classifier, batch, targets);
  const [recorded] = Object.keys(aux);
  const direct = methods.find(({ method }) => !isSampled(method));
  if (recorded !== undefined && direct)
    throw new InputError(
      'invalid_parameter',
      `aux ${JSON.stringify(recorded)}: ${direct.method.id} has none`,
    );
  const single = methods.find(({ method }) => method.oneClass);
  if (single && targets.some((target) => typeof target !== 'number'))
    throw new InputError('invalid_parameter', `${single.method.id} explains one class, not a sum of classes`);
  return (await run(batch as Tensor<'float32'>)).map((outcome, i) => {
    checkFinite(outcome.logits, 'the model');
    checkFinite(outcome.attribution, methods[i]!.method.id);
    const { method, notes, request } = methods[i]!;
    const rowWarnings = targets.map((_, n) => emptyWarnings(outcome, n, method, request.score));
    return { ...outcome, rowWarnings, warnings: [...notes, ...together(rowWarnings)] };
  });
}

/** A sampled method by its cheaper way, where network and method have one; recorded samples go the plain way. */
async function cheapestRun(
  request: Request<Sampled<never>>,
  runtime: Runtime,
  memory: number | undefined,
): Promise<Run> {
  const cheaper = incremental(request);
  if (!cheaper) return sampledRun(request, runtime, memory);
  const run = await sampledRun(cheaper, runtime, memory);
  let plain: Promise<Run> | undefined;
  return {
    async attribute(batch, targets, options) {
      if (Object.keys(options.aux ?? {}).length === 0) return run.attribute(batch, targets, options);
      plain ??= sampledRun(request, runtime, memory);
      return (await plain).attribute(batch, targets, options);
    },
    async close() {
      await run.close();
      await (await plain)?.close();
    },
  };
}

/** The request in another form, with less arithmetic, where its method and this network have one. */
function incremental(request: Request<Sampled<never>>): Request<Sampled<never>> | undefined {
  const { classifier, method, setting } = request;
  const network = classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
  const found = (classifier.batch ?? 1) === 1 ? method.incremental?.(network, setting) : undefined;
  if (!found) return undefined;
  const start: Layer = { name: found.start, shape: [], form: { axes: 'CHW', prefix: 0 } };
  return { ...request, method: { ...method, ...found, startsAtLayer: true }, layers: [start] };
}

/** The explainer itself as one ONNX file: image batch and class index in, attribution, logits and target out. */
export function compileExplainer(classifier: Classifier, spec: ExplainerSpec): Uint8Array {
  const { method, resolved, request } = prepare(classifier, spec);
  const metadata = {
    'whylight.method': resolved.id,
    'whylight.method_version': resolved.version,
    'whylight.convention': resolved.convention,
    'whylight.parameters': JSON.stringify(resolved.params),
    'whylight.layers': JSON.stringify(request.layers.map(({ name }) => name)),
    'whylight.score': resolved.score,
    'whylight.inputs': 'image: normalised batch; class_index: one per image, -1 for the predicted class',
    'whylight.outputs': `attribution: ${method.kind}; logits: scores before the last squashing function; target: the class explained`,
  };
  const cheaper = isSampled(method) && spec.incremental !== false && incremental({ ...request, method });
  const { graph, outputs } = isSampled(method)
    ? compileSampled(cheaper || { ...request, method }, spec.memory)
    : compileDirect({ ...request, method: method as Direct<never> });
  return writeModel(graph, outputs, metadata);
}

/** Why a method does not suit a model of one output. */
export const withoutOthers = ({ id }: Method): string =>
  `${id} compares a class with other classes, but the model has only one output: use grad-cam`;

export function prepare(classifier: Classifier, spec: ExplainerSpec) {
  const asked = resolveMethod(spec);
  const method: Method = findMethod(asked.id);
  if (method.needsOtherClasses && classifier.classes === 1)
    throw new InputError('method_not_supported', withoutOthers(method));
  // A method that looks at probabilities by itself, said or not, takes the output where that is a plain number.
  const isItsOwn = spec.score === undefined || spec.score === method.score;
  const isPlain = classifier.head.kind === 'number' && isItsOwn;
  const resolved = isPlain ? { ...asked, score: 'logit' as const } : asked;
  const named = spec.layers ?? [];
  checkLayerCount(resolved, named.length);
  const network = classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
  const layers = method.needs.includes('layer') ? chooseLayers(network, named, resolved.convention) : [];
  const [a, b, c] = classifier.inputShape as [number, number, number];
  const setting = {
    params: method.params.parse(resolved.params),
    convention: resolved.convention,
    inputShape: classifier.inputShape,
    layout: classifier.layout,
    height: classifier.layout === 'NCHW' ? b : a,
    width: classifier.layout === 'NCHW' ? c : b,
    normalisation: spec.normalisation,
    layerShapes: layers.map(({ shape }) => shape),
    layerRegions: layers.map(({ region }) => region),
  } as Setting<unknown> as Setting<never>;
  const seen = { ...network, layers: layers.map(({ name }) => network.resolve(name)) };
  const notes = [...classifier.notes, ...remarksOn(method, setting, seen), ...notesOn(network, layers)];
  return { method, resolved, notes, request: { classifier, setting, layers, score: resolved.score } };
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
