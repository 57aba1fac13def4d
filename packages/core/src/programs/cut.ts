import { spellOut } from '../lowering/functions/spell-out.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { reachable, usesOf, type ValueInfo } from '../onnx/graph.ts';
import type { Block, Loop } from './block.ts';
import { type Built, part } from './built.ts';

/** The graph that is computed before a loop, between two loops, or after the last. */
export interface Segment {
  readonly built: Built;
  /** The values of the block that its inputs take, by the names of the inputs. */
  readonly inputs: ReadonlyMap<string, Value>;
  /** The values of the block that its outputs give, by output name; wanted values have the names that users know. */
  readonly outputs: ReadonlyMap<string, Value>;
}

export interface CutLoop {
  readonly loop: Loop;
  readonly body: Cut;
  /** The values of the block that the body's inputs take, by input. */
  readonly captured: ReadonlyMap<Value, Value>;
}

/** A block cut at its loops: a segment, the first loop, a segment, …, the last segment; `undefined` if empty. */
export interface Cut {
  readonly segments: readonly (Segment | undefined)[];
  readonly loops: readonly CutLoop[];
  /** The wanted values of the block, by the names that their users know. */
  readonly outputs: ReadonlyMap<string, Value>;
}

/**
 * Cuts a block into graphs without loops. Each value is computed in the first possible segment, and handed on.
 *
 * @param wanted the values of the block to compute, by the names that their users know
 */
export function cut({ g, loops }: Block, wanted: ReadonlyMap<string, Value>): Cut {
  const now = spellOut(g);
  const outputs = new Map(Array.from(wanted, ([name, value]) => [name, now(value)]));
  const cuts = loops.map((loop): CutLoop => {
    const body = cut(loop.body, new Map(loop.results.map(({ inside, outside }) => [outside, inside])));
    const used = usedBy(body);
    const captured = [...loop.body.g.captures].map(([outside, inside]) => [inside, now(outside)] as const);
    const states = (loop.states ?? []).map(({ input, first }) => [input, now(first)] as const);
    const needed = captured.filter(([inside]) => used.has(inside));
    return { loop, body, captured: new Map([...needed, ...states]) };
  });
  const uses = cuts.map(({ captured }) => [...captured.values()]);
  const names = new Map(Array.from(outputs, ([name, value]) => [value, name]));
  const segments = segmentsOf(g, loops, [...uses, [...outputs.values()]], names);
  return { segments, loops: cuts, outputs };
}

/** Lists the values that a cut block uses, including its inputs. */
const usedBy = ({ segments, loops, outputs }: Cut): ReadonlySet<Value> =>
  new Set([
    ...segments.flatMap((segment) => [...(segment?.inputs.values() ?? [])]),
    ...loops.flatMap(({ captured }) => [...captured.values()]),
    ...outputs.values(),
  ]);

/**
 * @param uses the values that each loop takes, in order, and last the wanted values
 * @param names the names that users know, by value
 */
function segmentsOf(
  g: GraphBuilder,
  loops: readonly Loop[],
  uses: readonly (readonly Value[])[],
  names: ReadonlyMap<Value, string>,
) {
  const stages = new Map<Value, number>(g.inputs.map(({ name }) => [name, 0]));
  for (const [i, { results }] of loops.entries())
    for (const { outside } of results) stages.set(outside, i + 1);
  const given = new Set(stages.keys());
  const nodes = reachable(g.nodes, uses.flat());
  const stageOf = (values: readonly Value[]) =>
    Math.max(-1, ...values.map((value) => stages.get(value) ?? -1));
  for (const node of nodes) {
    const stage = stageOf(usesOf(node));
    // A value made of constants alone is made in every segment that uses it.
    if (stage >= 0) for (const output of node.outputs) stages.set(output, stage);
  }
  return uses.map((_, stage) => {
    const later = nodes.filter((node) => stageOf(node.outputs) > stage).flatMap(usesOf);
    const asked = [...later, ...uses.slice(stage).flat()].filter((value) => stages.get(value) === stage);
    const constant = uses[stage]!.filter((value) => !stages.has(value));
    const values = new Set([...asked, ...constant].filter((value) => !given.has(value)));
    if (values.size === 0) return undefined;
    const isBefore = (value: Value) => given.has(value) || (stages.get(value) ?? stage) < stage;
    const named = new Map(Array.from(values, (value) => [names.get(value) ?? value, value]));
    return segmentOf(g, named, isBefore);
  });
}

/** Builds the segment that computes `outputs` from values that exist before it. */
function segmentOf(
  g: GraphBuilder,
  outputs: ReadonlyMap<string, Value>,
  isBefore: (value: Value) => boolean,
): Segment {
  const inputs = new Set(g.inputs.map(({ name }) => name));
  const own = g.nodes.filter(({ outputs }) => !outputs.some(isBefore));
  const used = new Set(reachable(own, outputs.values()).flatMap(usesOf).filter(isBefore));
  const given = g.inputs.filter(({ name }) => used.has(name));
  const made = [...used].filter((name) => !inputs.has(name)).map((name) => ({ name, ...g.type(name)! }));
  const types: readonly ValueInfo[] = [...given, ...made];
  return {
    built: part(g, outputs, types),
    outputs,
    inputs: new Map(types.map(({ name, known = name }) => [known, name])),
  };
}
