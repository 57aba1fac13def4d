import { InputError } from '../errors.ts';
import type { Built, Shapes } from '../graphs/built.ts';
import { scoresModel } from '../graphs/direct.ts';
import type { Request } from '../graphs/request.ts';
import {
  baselineModel,
  chunkModel,
  finishModel,
  ofBaseline,
  prepareModel,
  rowsTogether,
} from '../graphs/sampled.ts';
import type { Made, Sampled, Samples } from '../methods/method.ts';
import { getOwn } from '../own.ts';
import type { Runtime, Session } from '../runtime/runtime.ts';
import { classOf, weightsOf } from '../targets.ts';
import { float32, row, type Tensor } from '../tensor.ts';
import { added, concatenated, filled, rowsOf, zeroFilled } from './batch.ts';
import { Chunk } from './chunk.ts';
import { rowsWithin } from './rows.ts';
import type { Run } from './run.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** The samples of a request, and the graphs that take samples of their shapes. */
interface Plan {
  readonly samples: Readonly<Record<string, Tensor | Made>>;
  readonly fixed: Samples;
  readonly graphs: {
    readonly each: Session;
    /** Of samples, for `each`. */
    readonly chunk: Chunk;
    readonly finish: Session;
    readonly sums: Shapes;
  };
}

/**
 * Graphs that explain images one by one, many evaluations each: the scores, what the method asks of the image
 * first, a chunk of samples, and the end.
 */
export async function sampledRun(
  request: Request<Sampled<never>>,
  runtime: Runtime,
  memory: number | undefined,
): Promise<Run> {
  const { classifier, method, setting } = request;
  const perSample = rowsTogether(request);
  const size = classifier.batch && classifier.batch / perSample;
  const chunkOf = (built: Built, fixed: number | undefined) =>
    new Chunk(fixed ?? rowsWithin(memory, built, runtime), fixed !== undefined);
  const scoring = scoresModel(classifier, request.score);
  const images = chunkOf(scoring, classifier.batch);
  const forward = await runtime.load(scoring.file);
  const prepare = method.prepare && prepareModel(request);
  const preparing = prepare && (await runtime.load(prepare.file));
  const comparing = method.preparesBaseline ? await runtime.load(baselineModel(request).file) : undefined;
  const shapes = { ...prepare?.outputs, ...(comparing && ofBaseline(prepare!.outputs)) };

  const loaded = new Map<string, Plan['graphs']>();
  async function plan(aux: Samples): Promise<Plan> {
    checkAux(method, aux);
    const samples = method.samples(setting, aux);
    const fixed = method.fixed?.(setting, aux) ?? {};
    checkCounts(samples);
    const key = JSON.stringify(
      [samples, fixed].map((s) =>
        Object.entries(s).map(([name, t]) => [name, t.dtype, s === samples ? t.shape.slice(1) : t.shape]),
      ),
    );
    const graphs = loaded.get(key) ?? (await load(samples, fixed));
    loaded.set(key, graphs);
    return { samples, fixed, graphs };
  }
  async function load(samples: Plan['samples'], fixed: Samples): Promise<Plan['graphs']> {
    const built = chunkModel(request, samples, fixed, shapes);
    const finish = finishModel(request, built.outputs, fixed, shapes, true);
    return {
      each: await runtime.load(built.file),
      chunk: chunkOf(built, size),
      finish: await runtime.load(finish.file),
      sums: built.outputs,
    };
  }
  await plan({}); // what cannot be built fails here

  async function prepareImage(image: Tensor, class_weights: Tensor): Promise<Tensors> {
    if (!preparing) return {};
    const own = await preparing.run({ image, class_weights });
    if (!comparing) return own;
    const { baseline } = await comparing.run({ image });
    return { ...own, ...ofBaseline(await preparing.run({ image: baseline!, class_weights })) };
  }

  async function scored(batch: Tensor<'float32'>) {
    const parts: Tensors[] = [];
    await images.over(batch.shape[0]!, async (start, end) => {
      parts.push(await forward.run({ image: filled(rowsOf(batch, start, end), classifier.batch) }));
    });
    const all = (name: string) =>
      rowsOf(concatenated(parts.map((p) => getOwn(p, name)!)), 0, batch.shape[0]!);
    const logits = all('logits');
    const probabilities = 'probabilities' in scoring.outputs ? all('probabilities') : null;
    return { logits, probabilities, scores: request.score === 'logit' ? logits : all('scores') };
  }

  /** Σ shares - (F(image) - F(baseline)), of a method that shares this difference out. */
  async function deltaOf(done: Tensors, score: number, weight: Float32Array): Promise<number | undefined> {
    const { attribution, shares = attribution, baseline, reference } = done;
    if (!baseline && !reference) return undefined;
    const from = reference
      ? Number(reference.data[0])
      : dot(weight, (await scored(baseline as Tensor<'float32'>)).scores.data);
    return (shares!.data as Float32Array).reduce((a, b) => a + b, 0) - (score - from);
  }

  return {
    async attribute(batch, asked, { aux = {}, signal, onProgress, samples: most = Infinity }) {
      const { samples, fixed, graphs } = await plan(aux);
      const { logits, probabilities, scores } = await scored(batch);
      const best = asked.map((_, n) => argmax(row(logits, n).data));
      const count = Math.min(Object.values(samples)[0]!.shape[0]!, most);
      const attributions: Tensor<'float32'>[] = [];
      const deltas: number[] = [];
      const scales: number[] = [];
      for (const [n, target] of asked.entries()) {
        const image = row(batch, n);
        const weight = weightsOf(target, classifier.classes, best[n]!);
        const score = dot(weight, row(scores, n).data);
        const class_weights = float32([1, classifier.classes], weight);
        const prepared = await prepareImage(image, class_weights);
        const same = { image, class_weights, score: float32([1, 1], [score]), ...fixed, ...prepared };
        const total = new Map<string, Tensor<'float32'>>();
        await graphs.chunk.over(count, async (start, end) => {
          signal?.throwIfAborted();
          const part = Object.entries(samples).map(
            ([name, s]) =>
              [name, zeroFilled('make' in s ? s.make(start, end) : rowsOf(s, start, end), size)] as const,
          );
          const sums = await graphs.each.run({ ...same, ...Object.fromEntries(part) });
          for (const name of Object.keys(graphs.sums))
            total.set(name, added(total.get(name), getOwn(sums, name) as Tensor<'float32'>));
          onProgress?.(n * count + end, asked.length * count);
        });
        const done = await graphs.finish.run({ image, ...fixed, ...prepared, ...Object.fromEntries(total) });
        const attribution = done.attribution as Tensor<'float32'>;
        attributions.push(attribution);
        if (done.scale) scales.push(Number(done.scale.data[0]));
        const delta = await deltaOf(done, score, weight);
        if (delta !== undefined) deltas.push(delta);
      }
      return {
        attribution: concatenated(attributions),
        logits,
        scores,
        probabilities,
        targets: asked.map((target, n) => classOf(target, best[n]!)),
        convergenceDelta: deltas.length > 0 ? deltas : null,
        scale: scales.length > 0 ? scales : null,
      };
    },
    async close() {
      const sessions = [
        forward,
        ...[preparing, comparing].filter((session) => session !== undefined),
        ...[...loaded.values()].flatMap((g) => [g.each, g.finish]),
      ];
      await Promise.all(sessions.map((session) => session.close()));
    },
  };
}

function checkAux(method: Sampled<never>, aux: Samples): void {
  const unknown = Object.keys(aux).find((name) => !method.aux.includes(name));
  if (unknown !== undefined)
    throw new InputError(
      'invalid_parameter',
      `aux ${JSON.stringify(unknown)}: ${method.id} has ${method.aux.join(', ') || 'none'}`,
    );
}

function checkCounts(samples: Plan['samples']): void {
  const counts = Object.entries(samples).map(([name, { shape }]) => [name, shape[0]!] as const);
  if (counts.every(([, count]) => count === counts[0]![1] && count > 0)) return;
  const listed = counts.map(([name, count]) => `"${name}" ${count}`).join(', ');
  throw new InputError('invalid_tensor', `aux: as many samples of each are expected, got ${listed}`);
}

const argmax = (scores: Float32Array): number =>
  scores.reduce((best, v, i) => (v > scores[best]! ? i : best), 0);

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
