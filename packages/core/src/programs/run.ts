import { getOwn } from '../own.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { classInput, targetInputs } from '../targets.ts';
import { float32, type Tensor } from '../tensor.ts';
import { filled, rowsOf } from './batch.ts';
import type { Block } from './block.ts';
import { Chunk } from './chunk.ts';
import { type Cut, cut } from './cut.ts';
import { chunksOf, close, type Loaded, load, run } from './loaded.ts';
import { outcomeOf, type Run } from './outcome.ts';
import type { Request } from './request.ts';
import { rowsWithin } from './rows.ts';
import { type Program, trace } from './trace.ts';
import { watching } from './watch.ts';

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
  const { classes, pixels } = request.classifier;
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
      const regions = pixels && (options.regions ?? predictedRegions(targets.length, pixels));
      const watched = watching(cut, () => chunksOf(loaded), targets.length, options);
      await images.over(targets.length, async (start, end) => {
        options.signal?.throwIfAborted();
        const some = targets.slice(start, end);
        const asked = single ? classInput(some as number[]) : targetInputs(some, classes);
        const inputs = {
          ...{ image: rowsOf(batch, start, end), ...asked },
          ...(regions && { region: rowsOf(regions, start, end) }),
        };
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

/** Of each image, the pixels that the model predicts the class at. */
const predictedRegions = (count: number, [height, width]: readonly [number, number]): Tensor<'float32'> =>
  float32([count, height, width], new Float32Array(count * height * width).fill(-1));

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
