import type { Value } from '../onnx/builder.ts';
import type { ValueInfo } from '../onnx/graph.ts';
import { getOwn } from '../own.ts';
import { Assembly, type Compiled } from './assembly.ts';
import { checkBytes, sourceOf, turnsOf } from './compiled-samples.ts';
import { type Cut, type CutLoop, cut } from './cut.ts';
import { grouped } from './grouped.ts';
import type { Request } from './request.ts';
import { trace } from './trace.ts';

/** By a block's values, those of the file that is put together. */
type Places = ReadonlyMap<Value, Value>;

/**
 * A method as one graph: image [N, C, H, W], class_index [N] (and region [N, H, W]) → attribution, logits, target. Loops are Scans, so that the
 * memory is that of one chunk, however many samples and images there are.
 *
 * @throws InputError method_not_supported when the samples are too many to be constants
 */
export function compile(request: Request, memory: number | undefined): Compiled {
  const program = trace(request, { constant: true });
  const parts = cut(program.block, program.outputs);
  const [first] = parts.segments;
  const names = ['attribution', 'logits', 'target'] as const;
  const g = program.block.g;
  const typeOf = (name: string): ValueInfo => ({ name, ...g.type(parts.outputs.get(name)!)! });
  if (!request.method.sampled && parts.loops.length === 0) {
    const { graph } = first!.built;
    const types = names.map(typeOf);
    return program.images === undefined ? { graph, outputs: types } : grouped(graph, types, program.images);
  }
  const asked = g.inputs.slice(0, request.classifier.pixels ? 3 : 2);
  const assembly = new Assembly([...asked.map(({ name, known = name }) => known), ...names]);
  const inputs = asked.map(
    ({ name, known = name, dtype, shape }): ValueInfo => ({ name: known, dtype, shape: shape.slice(1) }),
  );
  const results = assembly.scan({
    name: 'images',
    over: inputs.map((input) => ({ ...input, of: input.name })),
    body(_, rows) {
      const given = new Map<Value, Value>();
      asked.forEach(({ name }, i) => {
        given.set(name, assembly.emit('Unsqueeze', [rows[i]!, assembly.ints(0)]));
      });
      const made = placed(assembly, parts, given, memory);
      return {
        outputs: names.map((name) => ({
          ...typeOf(name),
          shape: typeOf(name).shape.slice(1),
          name: assembly.emit('Squeeze', [made.get(parts.outputs.get(name)!)!, assembly.ints(0)]),
        })),
      };
    },
  });
  const batched = (one: ValueInfo): ValueInfo => ({ ...one, shape: ['batch', ...one.shape] });
  return {
    graph: assembly.graph(
      inputs.map(batched),
      Object.fromEntries(names.map((name, i) => [name, results[i]!])),
    ),
    outputs: names.map((name) => ({ ...typeOf(name), shape: ['batch', ...typeOf(name).shape.slice(1)] })),
  };
}

/** Puts a block in its place: where its values are. */
function placed(assembly: Assembly, parts: Cut, given: Places, memory: number | undefined): Places {
  const places = new Map(given);
  parts.segments.forEach((segment, stage) => {
    if (segment) {
      const feeds = Array.from(segment.inputs, ([input, value]) => [input, places.get(value)!] as const);
      const made = assembly.place(segment.built.graph, 'explain', Object.fromEntries(feeds));
      for (const [name, value] of segment.outputs) places.set(value, getOwn(made, name)!);
    }
    const loop = parts.loops[stage];
    if (loop) for (const [name, value] of looped(assembly, loop, places, memory)) places.set(name, value);
  });
  return places;
}

/** Puts a loop in its place: a Scan over its samples, which are constants or drawn turn by turn. */
function looped(assembly: Assembly, cutLoop: CutLoop, places: Places, memory: number | undefined): Places {
  const { loop, body, captured } = cutLoop;
  const { results, states } = loop;
  const same = new Map(Array.from(captured, ([input, value]) => [input, places.get(value)!] as const));
  const resultsOf = (made: Places) => results.map(({ outside }) => made.get(body.outputs.get(outside)!)!);
  const asPlaces = (values: readonly Value[]) =>
    new Map(results.map(({ outside }, i) => [outside, values[i]!]));
  if (loop.samples.size === 0) return asPlaces(resultsOf(placed(assembly, body, same, memory)));
  checkBytes(loop.samples.values());
  const turns = turnsOf(cutLoop, memory);
  const sources = Array.from(loop.samples, ([name, sample]) => sourceOf(assembly, name, sample, turns));
  const { g } = loop.body;
  const held = results.map(({ inside }, i) => {
    const { dtype, shape } = g.type(states?.[i]?.input ?? inside)!;
    const zero = () =>
      assembly.emit('ConstantOfShape', [assembly.ints(...(shape as number[]))], {}, `zero/${inside}`);
    const first = states ? same.get(states[i]!.input)! : zero();
    return { name: inside, dtype, shape, first } as const;
  });
  const totals = assembly.scan({
    name: 'samples',
    state: held,
    over: sources,
    body(before, rows) {
      const taken = sources.map(
        ({ name, drawing }, i) =>
          [name, drawing ? assembly.place(drawing, 'draw', { start: rows[i]! }).drawn! : rows[i]!] as const,
      );
      const left = (states ?? []).map(({ input }, i) => [input, before[i]!] as const);
      const made = resultsOf(placed(assembly, body, new Map([...same, ...left, ...taken]), memory));
      return {
        state: states ? made : made.map((value, i) => assembly.emit('Add', [before[i]!, value], {}, 'sum')),
      };
    },
  });
  return asPlaces(totals);
}
