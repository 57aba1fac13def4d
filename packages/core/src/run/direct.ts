import type { Built } from '../graphs/built.ts';
import { directModel } from '../graphs/direct.ts';
import type { Request } from '../graphs/request.ts';
import type { Direct } from '../methods/method.ts';
import { merge } from '../onnx/merge.ts';
import { writeApart } from '../onnx/write.ts';
import { getOwn } from '../own.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { classInput, classOf, type Target, targetInputs } from '../targets.ts';
import type { Tensor } from '../tensor.ts';
import { concatenated, filled, rowsOf } from './batch.ts';
import { Chunk } from './chunk.ts';
import { rowsWithin } from './rows.ts';
import type { AttributeOptions, Outcome, Run } from './run.ts';

/** Several methods, loaded as one graph. */
export interface JointRun {
  /** What each method gives, in their order. */
  attribute(
    batch: Tensor<'float32'>,
    targets: readonly Target[],
    options: AttributeOptions,
  ): Promise<Outcome[]>;
  close(): Promise<void>;
}

/** One graph that explains images batch by batch. */
export async function directRun(
  request: Request<Direct<never>>,
  runtime: Runtime,
  memory: number | undefined,
): Promise<Run> {
  const { attribute, close } = await jointRun([request], runtime, memory);
  return { attribute: async (...given) => (await attribute(...given))[0]!, close };
}

/** One graph that explains images by several methods of one classifier at once. */
export async function jointRun(
  requests: readonly Request<Direct<never>>[],
  runtime: Runtime,
  memory: number | undefined,
): Promise<JointRun> {
  const { batch: fixed, classes } = requests[0]!.classifier;
  const load = async (sums: boolean) => {
    const { file, outputs, ...size } = joined(
      requests.map((request) => directModel(request, { sums, facts: true })),
    );
    const chunk = new Chunk(fixed ?? rowsWithin(memory, size, runtime), fixed !== undefined);
    return { outputs, chunk, session: await runtime.load(file) };
  };
  const ofClasses = await load(false);
  let ofSums: ReturnType<typeof load> | undefined; // rarely asked for
  return {
    async attribute(batch, targets, { signal, onProgress }) {
      const single = targets.every((target) => typeof target === 'number');
      if (!single)
        ofSums ??= load(true).catch((error: unknown) => {
          ofSums = undefined;
          throw error;
        });
      const { outputs, chunk, session } = await (single ? ofClasses : ofSums!);
      const parts: Readonly<Record<string, Tensor>>[] = [];
      const count = targets.length;
      await chunk.over(count, async (start, end) => {
        signal?.throwIfAborted();
        const image = filled(rowsOf(batch, start, end), fixed);
        const some = targets.slice(start, end);
        const asked = single ? classInput(some as number[]) : targetInputs(some, classes);
        const given = Object.entries(asked).map(([name, tensor]) => [name, filled(tensor, fixed)] as const);
        parts.push(await session.run({ image, ...Object.fromEntries(given) }));
        onProgress?.(end, count);
      });
      const whole = (name: string) =>
        rowsOf(concatenated(parts.map((part) => getOwn(part, name)!)), 0, count);
      return outputs.map(({ attribution, logits, probabilities, scores = logits, scale, target }) => {
        const leading = parts.flatMap((p) => Array.from(getOwn(p, target!)!.data as BigInt64Array, Number));
        return {
          attribution: whole(attribution!),
          logits: whole(logits!),
          scores: whole(scores!),
          probabilities: probabilities === undefined ? null : whole(probabilities),
          targets: targets.map((asked, n) => classOf(asked, leading[n]!)),
          convergenceDelta: null,
          scale: scale === undefined ? null : Array.from(whole(scale).data),
        };
      });
    },
    async close() {
      await ofClasses.session.close();
      await (await ofSums?.catch(() => undefined))?.session.close();
    },
  };
}

/** A file of several graphs, and what each of their outputs is called in it. */
function joined(graphs: readonly Built[]) {
  const { graph, outputs } = merge(graphs.map((built) => built.graph));
  const types = new Map(
    graphs.flatMap(({ types }, k) =>
      types.map((type) => {
        const name = getOwn(outputs[k]!, type.name)!;
        return [name, { ...type, name }] as const;
      }),
    ),
  );
  return {
    file: writeApart(graph, [...types.values()]),
    outputs,
    weightBytes: Math.max(...graphs.map(({ weightBytes }) => weightBytes)),
    bytesPerRow: graphs.reduce((sum, { bytesPerRow }) => sum + bytesPerRow, 0),
  };
}
