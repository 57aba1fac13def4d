import { describe, expect, it } from 'vitest';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { slice } from '../onnx/emit.ts';
import { type Attributes, int, ints, text } from '../onnx/graph.ts';
import { isStandardOperator } from '../onnx/operator-names.ts';
import { newGraph } from '../operators/new-graph.ts';
import type { Operators } from '../operators/operator.ts';
import { again, rowsOf } from '../operators/row-by-row.ts';
import type { Case } from './cases.ts';
import { isLinearIn, measured, numbers, tensorOf, written } from './measured.ts';
import { cpu } from './ort.ts';

/** Tests that every operator of a family with a shape rule has exactly the properties that its row states. */
export function describeFacts(family: string, rows: Operators, cases: readonly Case[]): void {
  // A function that ONNX lacks cannot run by itself; its spellings can (lowering/functions).
  const followed = Object.entries(rows).filter(
    ([op, { shape, data }]) => isStandardOperator(op) && shape !== null && data > 0,
  );
  describe(`${family}: operators are what their rows say`, { timeout: 60_000 }, () => {
    it.each(followed)('%s', async (op, row) => {
      const own = cases.filter((c) => c.op === op && (c.used?.includes(0) ?? true));
      const { elementwise, linear, movement, normalises, weights, data } = row;
      expect(own.length, 'cases').toBeGreaterThan(0);
      expect(await measured(own, data), 'what its cases show').toEqual({
        elementwise,
        linear,
        movement,
        normalises,
      });
      expect(await windowOf(own), 'what a window sees outside').toBe(row.window);
      for (const c of own) {
        const { g, inputs, y } = applied(c);
        if (row.map !== 'ends' && g.shape(inputs[0]!).length === 4) expect(g.shape(y)).toHaveLength(4);
        await expectRows(c);
        if (weights !== null) expect(await isLinearIn(c, weights), `${c.title}: weights`).toBe(true);
      }
    });
  });
}

/** Applies a case's node to constants. */
function applied(c: Case, attributes: Attributes = c.attributes) {
  const g = newGraph(c.opset);
  const inputs = c.inputs.map((operand, i) => {
    const tensor = tensorOf(c, operand, i);
    return tensor === undefined ? '' : g.constant(tensor);
  });
  const ys = g.emitAll(c.op, inputs, attributes, c.outputs);
  return { g, inputs, y: ys[0]!, node: g.maker(ys[0]!)! };
}

/** Expects that the last row along each axis that the table allows, computed alone, equals that row of the whole. */
async function expectRows(c: Case): Promise<void> {
  const { g, inputs, y, node } = applied(c);
  for (const [axis, size] of g.shape(y).entries()) {
    const axes = size > 1 ? rowsOf(g, node, axis) : undefined;
    if (!axes) continue;
    const cut = (value: Value, along: number | null | undefined) =>
      value === '' || along == null ? value : slice(g, value, along, size - 1, size);
    const alone = again(
      g,
      node,
      inputs.map((input, i) => cut(input, axes[i])),
      axis,
      1,
    );
    const [found, expected] = await results(g, [alone, cut(y, axis)]);
    expectClose(found!, expected!, `${c.title}: a row along axis ${axis}`);
  }
}

/** Finds the value outside the map in all cases whose windows reach there, if it is the same value in all of them. */
async function windowOf(cases: readonly Case[]): Promise<'zero' | 'lowest' | null> {
  const padded = cases.filter(
    (c) =>
      ints(c, 'pads')?.some((p) => p > 0) && text(c, 'auto_pad', '') === '' && int(c, 'ceil_mode', 0) === 0,
  );
  for (const [name, filler] of [
    ['zero', 0],
    ['lowest', -3.4e38],
  ] as const) {
    const same = [];
    for (const c of padded) same.push(await seesOutside(c, filler));
    if (same.length > 0 && same.every(Boolean)) return name;
  }
  return null;
}

async function seesOutside(c: Case, filler: number): Promise<boolean> {
  const { g, inputs, y } = applied(c, counting(c, c.attributes));
  const [x, ...others] = inputs as [Value, ...Value[]];
  const pads = ints(c, 'pads')!;
  const half = pads.length / 2;
  if (g.shape(x).length !== half + 2) return false;
  const outside = g.ints([0, 0, ...pads.slice(0, half), 0, 0, ...pads.slice(half)]);
  const wide = g.emit('Pad', [x, outside, g.scalar(filler, c.dtype)]);
  const whole = counting(c, { ...c.attributes, pads: pads.map(() => 0) });
  const again = g.emitAll(c.op, [stopped(g, wide), ...others], whole, c.outputs)[0]!;
  const [found, expected] = await results(g, [again, y]);
  return found!.length === expected!.length && found!.every((v, i) => Math.abs(v - expected![i]!) < 1e-5);
}

/** Includes padding in the divisor of an average. */
const counting = (c: Case, attributes: Attributes): Attributes =>
  c.op === 'AveragePool' ? { ...attributes, count_include_pad: 1 } : attributes;

/** Hides a Pad from ONNX Runtime, without a change of value: it fuses a Pad of any filler into a MaxPool. */
const stopped = (g: GraphBuilder, value: Value): Value => g.emit('Neg', [g.emit('Neg', [value])]);

async function results(g: GraphBuilder, outputs: readonly Value[]): Promise<number[][]> {
  const session = await cpu.load(written(g, outputs));
  const found = await session.run({});
  await session.close();
  return outputs.map((output) => numbers(found[output]!));
}

function expectClose(found: readonly number[], expected: readonly number[], what: string): void {
  expect(found.length, what).toBe(expected.length);
  const scale = Math.max(1, ...expected.filter(Number.isFinite).map(Math.abs));
  for (const [i, v] of expected.entries())
    if (!Object.is(found[i], v)) expect(Math.abs(found[i]! - v), what).toBeLessThan(1e-5 * scale);
}
