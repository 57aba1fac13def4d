import type { Value } from '../onnx/builder.ts';
import { getOwn } from '../own.ts';
import type { Runtime, Session } from '../runtime/runtime.ts';
import type { Tensor } from '../tensor.ts';
import { added, rowsOf, zeroFilled } from './batch.ts';
import { samplesOf } from './block.ts';
import { Chunk } from './chunk.ts';
import type { Cut, CutLoop } from './cut.ts';
import { rowsWithin } from './rows.ts';
import type { Values, Watch } from './watch.ts';

/** The graphs of a cut block, loaded; the same graphs serve every cut of equal shapes. */
export interface Loaded {
  readonly segments: readonly (Session | undefined)[];
  readonly loops: readonly { readonly body: Loaded; readonly chunk: Chunk }[];
}

export async function load(cut: Cut, runtime: Runtime, memory: number | undefined): Promise<Loaded> {
  const segments: (Session | undefined)[] = [];
  for (const segment of cut.segments) segments.push(segment && (await runtime.load(segment.built.file)));
  const loops: Loaded['loops'][number][] = [];
  for (const { loop, body } of cut.loops) {
    const built = body.segments.find((segment) => segment)?.built;
    const rows = loop.together ?? (built && loop.samples.size > 0 ? rowsWithin(memory, built, runtime) : 1);
    loops.push({
      body: await load(body, runtime, memory),
      chunk: new Chunk(rows, loop.together !== undefined),
    });
  }
  return { segments, loops };
}

export async function close({ segments, loops }: Loaded): Promise<void> {
  await Promise.all([
    ...segments.map((session) => session?.close()),
    ...loops.map(({ body }) => close(body)),
  ]);
}

/** Lists how many samples each loop takes at a time at present, inner loops included. */
export const chunksOf = ({ loops }: Loaded): number[] =>
  loops.flatMap(({ chunk, body }) => [chunk.rows, ...chunksOf(body)]);

/** Runs a block; returns its values, including the given ones, as far as they are needed. */
export async function run(
  cut: Cut,
  loaded: Loaded,
  given: Values,
  watch: Watch,
): Promise<Map<Value, Tensor>> {
  const values = new Map(given);
  for (const [stage, segment] of cut.segments.entries()) {
    if (segment) {
      const feeds = Array.from(segment.inputs, ([input, value]) => [input, values.get(value)!] as const);
      const made = await loaded.segments[stage]!.run(Object.fromEntries(feeds));
      for (const [name, value] of segment.outputs) values.set(value, getOwn(made, name)!);
    }
    const loop = cut.loops[stage];
    if (!loop) continue;
    const results = await runLoop(loop, loaded.loops[stage]!, values, stage, watch);
    for (const [name, tensor] of results) values.set(name, tensor);
  }
  return values;
}

async function runLoop(
  { loop, body, captured }: CutLoop,
  loaded: Loaded['loops'][number],
  values: Values,
  place: number,
  { signal, samples: most, onChunk, resumed }: Watch,
): Promise<Map<Value, Tensor>> {
  const count = Math.min(samplesOf(loop), most);
  const same = new Map(Array.from(captured, ([input, value]) => [input, values.get(value)!] as const));
  const before = resumed?.(place);
  const sums = new Map(before?.sums);
  const skipped = before?.done ?? 0;
  const state = new Map<Value, Tensor>();
  loop.states?.forEach(({ input }, i) => {
    const known = sums.get(loop.results[i]!.outside);
    if (known) state.set(input, known);
  });
  await loaded.chunk.over(count - skipped, async (from, to) => {
    const [start, end] = [skipped + from, skipped + to];
    signal?.throwIfAborted();
    const chunk = Array.from(loop.samples, ([input, s]) => {
      const part = 'make' in s ? s.make(start, end) : rowsOf(s, start, end);
      return [input, zeroFilled(part, loop.together)] as const;
    });
    const inner = { signal, samples: most };
    const made = await run(body, loaded.body, new Map([...same, ...state, ...chunk]), inner);
    loop.results.forEach(({ outside }, i) => {
      const value = made.get(body.outputs.get(outside)!) as Tensor<'float32'>;
      if (loop.states) state.set(loop.states[i]!.input, value);
      sums.set(outside, loop.states ? value : added(sums.get(outside) as Tensor<'float32'>, value));
    });
    onChunk?.(place, end, sums);
  });
  return sums;
}
