import { describe, expect, it } from 'vitest';
import type { Attributes } from '../onnx/graph.ts';
import { isStandardOperator, type OperatorName } from '../onnx/operator-names.ts';
import type { Operators } from '../operators/operator.ts';
import type { Case, Operand } from './cases.ts';
import { describeFacts } from './fact-cases.ts';
import { gradientErrors, gradients } from './gradient.ts';
import { cpu } from './ort.ts';
import { web } from './ort-web.ts';

type Options = Partial<Pick<Case, 'dtype' | 'opset' | 'outputs' | 'used'>>;

/** Makes one line of a table of cases: by default float64 at opset 17. */
export const rule = (
  op: OperatorName,
  title: string,
  inputs: readonly Operand[],
  attributes: Attributes = {},
  options: Options = {},
): Case => ({
  op,
  title,
  inputs,
  attributes,
  dtype: 'float64',
  opset: 17,
  outputs: 1,
  ...options,
});

/** Options for kernels that ONNX Runtime has in float32 only. */
export const single: Options = { dtype: 'float32' };

/** The error of central differences themselves: h⁴, or the rounding error of the operator divided by h. */
const tolerance = { float64: 1e-8, float32: 3e-5 };

/** The error of sums in another order; the float64 kernels of both runtimes round in float64. */
const agreement = { float64: 1e-12, float32: 2e-6 };

/**
 * Tests every case in ONNX Runtime and in ONNX Runtime for the web, that every row with a derivative has a case, and
 * that the operators have the properties that their rows state.
 *
 * @param further cases of operators without a derivative, or without a derivative in that form
 */
export function describeRules(
  family: string,
  rows: Operators,
  cases: readonly Case[],
  further: readonly Case[] = [],
): void {
  describeFacts(family, rows, [...cases, ...further]);
  describe(`${family}: rules agree with central differences`, () => {
    it.each(cases.map((c) => [`${c.op}: ${c.title}`, c] as const))('%s', async (_, c) => {
      for (const [input, error] of Object.entries(await gradientErrors(c, cpu)))
        expect(error, `d/d${input}`).toBeLessThan(tolerance[c.dtype]);
    });

    it('gives the same in ONNX Runtime for the web', { timeout: 60_000 }, async () => {
      for (const c of cases) {
        const [expected, found] = [await gradients(c, cpu, 'varied'), await gradients(c, web, 'varied')];
        expect(Object.keys(found)).toEqual(Object.keys(expected));
        for (const [name, gradient] of Object.entries(expected)) {
          const largest = Math.max(...gradient.map(Math.abs), 1e-3);
          const error = Math.max(...gradient.map((v, i) => Math.abs(found[name]![i]! - v))) / largest;
          expect(error, `${c.op}: ${c.title}, d/d${name}`).toBeLessThan(agreement[c.dtype]);
        }
      }
    });

    it('has a case for every rule', () => {
      const differentiated = (operand: Operand) =>
        operand !== '' && 'shape' in operand && !('fixed' in operand);
      const exercised = new Set(
        cases.flatMap((c) =>
          c.inputs.flatMap((operand, i) => (differentiated(operand) ? [`${c.op} ${i}`] : [])),
        ),
      );
      // A function that ONNX lacks is compared with its spellings (lowering/functions/derivatives.test.ts).
      const own = Object.entries(rows).filter(([op]) => isStandardOperator(op));
      const written = own.flatMap(([op, { vjp }]) =>
        typeof vjp === 'function'
          ? [`${op} 0`]
          : (vjp ?? []).flatMap((each, i) => (each ? [`${op} ${i}`] : [])),
      );
      expect(written.filter((place) => !exercised.has(place))).toEqual([]);
      const differentiable = own.filter(([, { vjp }]) => vjp !== null);
      expect(differentiable.filter(([op]) => !cases.some((c) => c.op === op))).toEqual([]);
    });
  });
}
