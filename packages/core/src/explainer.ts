import { chunkModel, directModel, finishModel, forwardModel, wholeModel } from './build.ts';
import type { Classifier } from './classifier.ts';
import { InputError } from './errors.ts';
import { chooseLayers } from './layers.ts';
import { type Convention, isSampled, type Method, type Normalisation } from './methods/index.ts';
import type { Sampled, Samples, Setting } from './methods/method.ts';
import { findMethod, type ResolvedMethod, resolveMethod } from './methods/resolve.ts';
import type { Runtime, Session } from './runtime/runtime.ts';
import { float32, int64, row, sizeOf, stacked, type Tensor } from './tensor.ts';

export interface ExplainerSpec {
  readonly method: string;
  readonly convention?: Convention | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  /** Tensor names, or indices from the end (`-1`); found when empty. */
  readonly layers?: readonly string[] | undefined;
  /** The model's normalisation, for baselines such as black. */
  readonly normalisation?: Normalisation | undefined;
  /** Rows that a run may hold at once; more are cut into chunks. */
  readonly chunk?: number | undefined;
}

export interface AttributeOptions {
  /** Recorded samples to replay instead of making them, by name. */
  readonly aux?: Readonly<Record<string, Tensor>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Samples (or images, for direct methods) done and to do. */
  readonly onProgress?: ((completed: number, total: number) => void) | undefined;
}

export interface Attribution {
  readonly attribution: Tensor<'float32'>;
  /** Scores before Softmax, [N, classes]. */
  readonly logits: Tensor<'float32'>;
  /** The class explained, per image: what -1 stood for. */
  readonly targets: readonly number[];
  /** Σ attribution - (F(x) - F(x')) per image, where the method promises that it is zero. */
  readonly convergenceDelta: readonly number[] | null;
  readonly warnings: readonly string[];
}

export interface Explainer {
  readonly method: ResolvedMethod;
  /** The layers looked at, by tensor name. */
  readonly layers: readonly string[];
  attribute(batch: Tensor, targets: readonly number[], options?: AttributeOptions): Promise<Attribution>;
  close(): Promise<void>;
}

const defaultChunk = 16;

/** An explainer of one classifier by one method, loaded into a runtime. @throws InputError */
export async function createExplainer(
  classifier: Classifier,
  spec: ExplainerSpec,
  runtime: Runtime,
): Promise<Explainer> {
  const { method, resolved, setting, layers } = prepare(classifier, spec);
  const chunk = classifier.batch ?? spec.chunk ?? defaultChunk;
  const run = isSampled(method)
    ? await sampledRun(classifier, method, setting, runtime, chunk)
    : await directRun(
        await runtime.load(directModel(classifier, method as never, setting, layers)),
        chunk,
        classifier.batch,
      );
  return {
    method: resolved,
    layers,
    async attribute(batch, targets, options = {}) {
      checkBatch(classifier, batch, targets);
      const result = await run.attribute(batch as Tensor<'float32'>, targets, options);
      checkFinite(result.logits);
      checkFinite(result.attribution);
      return {
        ...result,
        warnings: [
          ...classifier.notes,
          ...(isConstant(result.attribution)
            ? ['degenerate_attribution: the attribution is the same everywhere']
            : []),
        ],
      };
    },
    close: run.close,
  };
}

/** The explainer itself as one ONNX file: image batch and class index in, attribution, logits and target out. */
export function compileExplainer(classifier: Classifier, spec: ExplainerSpec): Uint8Array {
  const { method, resolved, setting, layers } = prepare(classifier, spec);
  const metadata = {
    'whylight.method': resolved.id,
    'whylight.method_version': resolved.version,
    'whylight.convention': resolved.convention,
    'whylight.parameters': JSON.stringify(resolved.params),
    'whylight.layers': JSON.stringify(layers),
    'whylight.inputs': 'image: normalised batch; class_index: one per image, -1 for the predicted class',
  };
  if (!isSampled(method)) return directModel(classifier, method as never, setting, layers, metadata);
  if (classifier.batch !== undefined)
    throw new InputError(
      'method_not_supported',
      `${method.id} evaluates many rows at once, and the model takes batches of ${classifier.batch} only: it cannot be compiled into one file`,
    );
  return wholeModel(classifier, method as never, setting, metadata);
}

function prepare(classifier: Classifier, spec: ExplainerSpec) {
  const resolved = resolveMethod(spec);
  const method: Method = findMethod(resolved.id);
  const [a, b, c] = classifier.inputShape as [number, number, number];
  const setting = {
    params: method.params.parse(resolved.params),
    convention: resolved.convention,
    inputShape: classifier.inputShape,
    layout: classifier.layout,
    height: classifier.layout === 'NCHW' ? b : a,
    width: classifier.layout === 'NCHW' ? c : b,
    normalisation: spec.normalisation,
  } as Setting<never>;
  const asked = spec.layers ?? [];
  if (asked.length > 0 && !method.needs.includes('layer'))
    throw new InputError(
      'invalid_parameter',
      `${method.id} looks at no layer, but ${asked.length === 1 ? 'one was' : 'layers were'} given`,
    );
  if (asked.length > 1 && resolved.convention === 'captum')
    throw new InputError(
      'invalid_parameter',
      `${method.id} under the captum convention takes one layer, got ${asked.length}`,
    );
  const probe = () => classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
  return {
    method,
    resolved,
    setting,
    layers: method.needs.includes('layer') ? chooseLayers(probe(), asked) : [],
  };
}

interface Run {
  attribute(
    batch: Tensor<'float32'>,
    targets: readonly number[],
    options: AttributeOptions,
  ): Promise<Omit<Attribution, 'warnings'>>;
  close(): Promise<void>;
}

function directRun(session: Session, chunk: number, fixed: number | undefined): Run {
  return {
    async attribute(batch, targets, { signal, onProgress }) {
      const parts: Readonly<Record<string, Tensor>>[] = [];
      for (let start = 0; start < targets.length; start += chunk) {
        signal?.throwIfAborted();
        const end = Math.min(start + chunk, targets.length);
        parts.push(
          await session.run({
            image: filled(rowsOf(batch, start, end), fixed),
            class_index: filled(int64([end - start], targets.slice(start, end)), fixed),
          }),
        );
        onProgress?.(end, targets.length);
      }
      return {
        attribution: rowsOf(concatenated(parts.map((p) => p.attribution!)), 0, targets.length),
        logits: rowsOf(concatenated(parts.map((p) => p.logits!)), 0, targets.length),
        targets: parts
          .flatMap((p) => Array.from(p.target!.data as BigInt64Array, Number))
          .slice(0, targets.length),
        convergenceDelta: null,
      };
    },
    close: () => session.close(),
  };
}

async function sampledRun(
  classifier: Classifier,
  method: Sampled<never>,
  setting: Setting<never>,
  runtime: Runtime,
  chunk: number,
): Promise<Run> {
  const made = method.samples(setting);
  const { bytes, sums } = chunkModel(classifier, method, setting, made);
  const [forward, each, finish] = [
    await runtime.load(forwardModel(classifier)),
    await runtime.load(bytes),
    await runtime.load(finishModel(classifier, method, setting, sums)),
  ];
  const scores = async (batch: Tensor<'float32'>): Promise<Tensor<'float32'>> =>
    rowsOf(
      concatenated(
        await Promise.all(
          batches(batch, chunk).map(
            async (image) => (await forward.run({ image: filled(image, classifier.batch) })).logits!,
          ),
        ),
      ),
      0,
      batch.shape[0]!,
    );
  const still = method.still(setting);

  return {
    async attribute(batch, asked, { aux, signal, onProgress }) {
      const samples = replayed(made, aux);
      const logits = await scores(batch);
      const targets = asked.map((target, n) => (target < 0 ? argmax(row(logits, n).data) : target));
      const count = Object.values(samples)[0]!.shape[0]!;
      const attributions: Tensor<'float32'>[] = [];
      const deltas: number[] = [];
      for (const [n, target] of targets.entries()) {
        const image = row(batch, n);
        const score = row(logits, n).data[target]!;
        const fixed = { image, class_index: int64([1], [target]), score: float32([1, 1], [score]) };
        const total: Record<string, Tensor<'float32'>> = {};
        for (let start = 0; start < count; start += chunk) {
          signal?.throwIfAborted();
          const end = Math.min(start + chunk, count);
          const part = Object.fromEntries(
            Object.entries(samples).map(([name, s]) => [
              name,
              filled(rowsOf(s, start, end), classifier.batch, still[name]),
            ]),
          );
          const sum = await each.run({ ...fixed, ...part });
          for (const name of Object.keys(sums))
            total[name] = added(total[name], sum[name] as Tensor<'float32'>);
          onProgress?.(n * count + end, targets.length * count);
        }
        const done = await finish.run({ image, ...total });
        const attribution = done.attribution as Tensor<'float32'>;
        attributions.push(attribution);
        if (done.baseline) {
          const reference = (await scores(done.baseline as Tensor<'float32'>)).data[target]!;
          deltas.push(attribution.data.reduce((a, b) => a + b, 0) - (score - reference));
        }
      }
      return {
        attribution: concatenated(attributions),
        logits,
        targets,
        convergenceDelta: deltas.length > 0 ? deltas : null,
      };
    },
    async close() {
      await Promise.all([forward.close(), each.close(), finish.close()]);
    },
  };
}

/** Recorded samples in place of made ones, checked against their shapes. */
function replayed(made: Samples, aux: Samples = {}): Samples {
  for (const [name, given] of Object.entries(aux)) {
    const expected = made[name];
    if (!expected)
      throw new InputError(
        'invalid_parameter',
        `aux ${JSON.stringify(name)}: the method has ${Object.keys(made).join(', ') || 'none'}`,
      );
    if (given.dtype !== expected.dtype || given.shape.slice(1).join() !== expected.shape.slice(1).join())
      throw new InputError(
        'invalid_tensor',
        `aux "${name}": expected ${expected.dtype} [samples, ${expected.shape.slice(1)}], got ${given.dtype} [${given.shape}]`,
      );
  }
  const samples = { ...made, ...aux };
  const counts = Object.entries(samples).map(([name, { shape }]) => [name, shape[0]!] as const);
  if (counts.some(([, count]) => count !== counts[0]![1] || count === 0))
    throw new InputError(
      'invalid_tensor',
      `aux: as many samples of each are expected, got ${counts.map(([name, count]) => `"${name}" ${count}`).join(', ')}`,
    );
  return samples;
}

function checkBatch(classifier: Classifier, batch: Tensor, targets: readonly number[]): void {
  const [n, ...shape] = batch.shape;
  if (batch.dtype !== 'float32' || shape.join() !== classifier.inputShape.join() || !n)
    throw new InputError(
      'invalid_tensor',
      `the model takes float32 [N, ${classifier.inputShape.join(', ')}], got ${batch.dtype} [${batch.shape.join(', ')}]`,
    );
  if (targets.length !== n)
    throw new InputError('invalid_parameter', `${n} images need ${n} targets, got ${targets.length}`);
  for (const target of targets)
    if (!Number.isInteger(target) || target < -1 || target >= classifier.classes)
      throw new InputError(
        'target_out_of_range',
        `class ${target} does not exist: the model has classes 0 to ${classifier.classes - 1}`,
      );
}

function checkFinite({ data }: Tensor<'float32'>): void {
  if (!data.every(Number.isFinite))
    throw new InputError('non_finite_output', 'the model gives NaN or infinite values for this input');
}

const isConstant = ({ data }: Tensor<'float32'>): boolean => data.every((v) => v === data[0]);

const argmax = (scores: Float32Array): number =>
  scores.reduce((best, v, i) => (v > scores[best]! ? i : best), 0);

function rowsOf<T extends Tensor>(batch: T, start: number, end: number): T {
  const size = sizeOf(batch.shape.slice(1));
  return {
    ...batch,
    shape: [end - start, ...batch.shape.slice(1)],
    data: batch.data.subarray(start * size, end * size),
  } as T;
}

/** `part` with `filler`, or its own last row, added until it has `size` rows: what a model with a baked-in batch takes. */
function filled<T extends Tensor>(
  part: T,
  size: number | undefined,
  filler: Tensor | undefined = row(part, part.shape[0]! - 1),
): T {
  const missing = (size ?? 0) - part.shape[0]!;
  return missing > 0 ? (stacked([part, ...Array<Tensor>(missing).fill(filler)]) as T) : part;
}

const batches = (batch: Tensor<'float32'>, chunk: number): Tensor<'float32'>[] =>
  Array.from({ length: Math.ceil(batch.shape[0]! / chunk) }, (_, i) =>
    rowsOf(batch, i * chunk, Math.min((i + 1) * chunk, batch.shape[0]!)),
  );

const concatenated = (parts: readonly Tensor[]): Tensor<'float32'> =>
  parts.length === 1 ? (parts[0] as Tensor<'float32'>) : (stacked(parts) as Tensor<'float32'>);

function added(total: Tensor<'float32'> | undefined, part: Tensor<'float32'>): Tensor<'float32'> {
  if (!total) return float32(part.shape, part.data.slice());
  part.data.forEach((v, i) => {
    total.data[i]! += v;
  });
  return total;
}
