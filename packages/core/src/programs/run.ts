import { getOwn } from '../own.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { classInput, classOf, targetInputs, weightsOf } from '../targets.ts';
import { row, type Tensor } from '../tensor.ts';
import { concatenated, filled, rowsOf } from './batch.ts';
import { type Block, samplesOf } from './block.ts';
import { Chunk } from './chunk.ts';
import { type Cut, cut } from './cut.ts';
import { close, type Loaded, load, run, type Values, type Watch } from './loaded.ts';
import type { AttributeOptions, LoopState, Outcome, Run } from './outcome.ts';
import type { Request } from './request.ts';
import { rowsWithin } from './rows.ts';
import { type Output, type Program, trace } from './trace.ts';

type Samples = Readonly<Record<string, Tensor>>;

/** A program, and the graphs that run it. */
interface Ready {
  readonly program: Program;
  readonly cut: Cut;
  readonly loaded: Loaded;
  readonly images: Chunk;
}

/** A method's graphs, loaded into a runtime: what is asked of each batch of images. */
export async function programRun(
  request: Request,
  runtime: Runtime,
  memory: number | undefined,
): Promise<Run> {
  const { classes } = request.classifier;
  const known = new Map<string, Promise<Pick<Ready, 'loaded' | 'images'>>>();

  async function ready(sums: boolean, aux: Samples): Promise<Ready> {
    const program = trace(request, { sums, facts: true, aux });
    const parts = cut(program.block, program.outputs);
    const key = JSON.stringify([sums, Object.keys(aux), shapesOf(program)]);
    const loading = known.get(key) ?? loadedOf(program, parts);
    known.set(key, loading);
    try {
      return { program, cut: parts, ...(await loading) };
    } catch (error) {
      known.delete(key);
      throw error;
    }
  }
  async function loadedOf(program: Program, parts: Cut) {
    const loaded = await load(parts, runtime, memory);
    const { images } = program;
    return {
      loaded,
      images: new Chunk(
        images ?? rowsWithin(memory, parts.segments[0]!.built, runtime),
        images !== undefined,
      ),
    };
  }
  const ofClasses = await ready(false, {}); // what cannot be built fails here
  let ofSums: Ready | undefined; // rarely asked for

  async function readyFor(single: boolean, aux: Samples): Promise<Ready> {
    if (Object.keys(aux).length > 0) return ready(!single, aux);
    if (single) return ofClasses;
    ofSums ??= await ready(true, {});
    return ofSums;
  }

  return {
    async attribute(batch, targets, options) {
      const single = targets.every((target) => typeof target === 'number');
      const { program, cut, loaded, images } = await readyFor(single, options.aux ?? {});
      const size = program.images;
      const parts: Readonly<Record<string, Tensor>>[] = [];
      const watched = watching(cut, targets.length, options);
      await images.over(targets.length, async (start, end) => {
        options.signal?.throwIfAborted();
        const some = targets.slice(start, end);
        const asked = single ? classInput(some as number[]) : targetInputs(some, classes);
        const inputs = { image: rowsOf(batch, start, end), ...asked };
        const given = new Map(program.given);
        for (const { name, known = name } of program.block.g.inputs) {
          const tensor = getOwn(inputs, known);
          if (tensor) given.set(name, filled(tensor, size));
        }
        const values = await run(cut, loaded, given, watched.watch(start));
        parts.push(
          Object.fromEntries(Array.from(cut.outputs, ([name, value]) => [name, values.get(value)!] as const)),
        );
        if (cut.loops.length === 0) options.onProgress?.(end, targets.length);
      });
      return outcomeOf(parts, targets, classes);
    },
    async close() {
      const all = await Promise.allSettled(known.values());
      await Promise.all(all.map((one) => one.status === 'fulfilled' && close(one.value.loaded)));
    },
  };
}

/** The shapes of what a program is given: graphs for equal ones are equal. */
const shapesOf = ({ block, given }: Program): unknown => [
  Array.from(given.values(), ({ dtype, shape }) => [dtype, shape]),
  samplesShapes(block),
];
const samplesShapes = ({ loops }: Block): unknown =>
  loops.map(({ samples, body }) => [
    Array.from(samples, ([name, { dtype, shape }]) => [name, dtype, shape.slice(1)]),
    samplesShapes(body),
  ]);

/** Tells of the progress of all images together, and keeps the state of a single one. */
function watching(
  { loops }: Cut,
  images: number,
  { signal, onProgress, onState, state, samples = Number.POSITIVE_INFINITY }: AttributeOptions,
) {
  const counts = loops.map(({ loop }) => (loop.samples.size > 0 ? Math.min(samplesOf(loop), samples) : 0));
  const total = counts.reduce((a, b) => a + b, 0);
  const before = (loop: number) => counts.slice(0, loop).reduce((a, b) => a + b, 0);
  const resumed = state && images === 1 ? resumedFrom(state, loops) : undefined;
  return {
    watch(image: number): Watch {
      const done = new Map<string, Tensor>();
      return {
        signal,
        samples,
        ...(resumed && { resumed }),
        onChunk(loop, end, sums) {
          if (counts[loop]! > 0) onProgress?.(image * total + before(loop) + end, images * total);
          if (!onState || images !== 1) return;
          // Sums go on growing in place.
          for (const [name, tensor] of sums)
            done.set(name, { ...tensor, data: tensor.data.slice() } as Tensor);
          onState({ loop, done: end, sums: Object.fromEntries(done) });
        },
      };
    },
  };
}

/** What each loop begins with: those before the state's own are done. */
const resumedFrom =
  ({ loop, done, sums }: LoopState, loops: Cut['loops']) =>
  (place: number) => {
    if (place > loop) return undefined;
    const { results } = loops[place]!.loop;
    const own: Values = new Map(results.map(({ outside }) => [outside, getOwn(sums, outside)!]));
    return { done: place < loop ? samplesOf(loops[place]!.loop) : done, sums: own };
  };

function outcomeOf(
  parts: readonly Readonly<Record<string, Tensor>>[],
  targets: Parameters<Run['attribute']>[1],
  classes: number,
): Outcome {
  const has = (name: Output) => getOwn(parts[0]!, name) !== undefined;
  const whole = (name: Output) =>
    rowsOf(concatenated(parts.map((part) => getOwn(part, name)!)), 0, targets.length);
  const leading = parts.flatMap(({ target }) => Array.from(target!.data as BigInt64Array, Number));
  const [attribution, logits] = [whole('attribution'), whole('logits')];
  const scores = has('scores') ? whole('scores') : logits;
  /** Σ shares - (F(image) - F(baseline)), of each image. */
  const delta = (shares: Tensor, reference: number, n: number): number => {
    const weights = weightsOf(targets[n]!, classes, leading[n]!);
    const score = row(scores, n).data.reduce((sum, v, c) => sum + v * weights[c]!, 0);
    return (row(shares, n).data as Float32Array).reduce((a, b) => a + b, 0) - (score - reference);
  };
  const references = has('reference') ? [...whole('reference').data] : null;
  const shares = references && whole('shares');
  return {
    attribution,
    logits,
    scores,
    probabilities: has('probabilities') ? whole('probabilities') : null,
    targets: targets.map((asked, n) => classOf(asked, leading[n]!)),
    convergenceDelta: references?.map((reference, n) => delta(shares!, reference, n)) ?? null,
    scale: has('scale') ? Array.from(whole('scale').data) : null,
  };
}
