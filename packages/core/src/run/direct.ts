import { directModel, type Request } from '../build.ts';
import type { Direct } from '../methods/method.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { classOf, targetInputs } from '../targets.ts';
import type { Tensor } from '../tensor.ts';
import { concatenated, filled, rowsOf } from './batch.ts';
import { Chunk } from './chunk.ts';
import { rowsWithin } from './rows.ts';
import type { Run } from './run.ts';

/** One graph that explains images batch by batch. */
export async function directRun(
  request: Request<Direct<never>>,
  runtime: Runtime,
  memory: number | undefined,
): Promise<Run> {
  const { batch: fixed, classes } = request.classifier;
  const built = directModel(request, true);
  const chunk = new Chunk(fixed ?? rowsWithin(memory, built, runtime), fixed !== undefined);
  const session = await runtime.load(built.bytes);
  return {
    async attribute(batch, targets, { signal, onProgress }) {
      const parts: Readonly<Record<string, Tensor>>[] = [];
      const count = targets.length;
      await chunk.over(count, async (start, end) => {
        signal?.throwIfAborted();
        const image = filled(rowsOf(batch, start, end), fixed);
        const asked = Object.entries(targetInputs(targets.slice(start, end), classes));
        const given = asked.map(([name, tensor]) => [name, filled(tensor, fixed)] as const);
        parts.push(await session.run({ image, ...Object.fromEntries(given) }));
        onProgress?.(end, count);
      });
      const leading = parts.flatMap((p) => Array.from(p.target!.data as BigInt64Array, Number));
      return {
        attribution: rowsOf(concatenated(parts.map((p) => p.attribution!)), 0, count),
        logits: rowsOf(concatenated(parts.map((p) => p.logits!)), 0, count),
        targets: targets.map((target, n) => classOf(target, leading[n]!)),
        convergenceDelta: null,
      };
    },
    close: () => session.close(),
  };
}
