import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bools, type Case, ints, weight, x } from '../testing/cases.ts';
import { directionalError } from '../testing/gradient.ts';
import { cpu } from '../testing/ort.ts';
import { rule, single } from '../testing/rule-cases.ts';

const size = fc.integer({ min: 1, max: 4 });
const shape = fc.array(size, { minLength: 1, maxLength: 4 });

/** A shape that broadcasting can stretch to the given one. */
const stretchable = (to: readonly number[]) =>
  fc
    .tuple(
      fc.integer({ min: 0, max: to.length }),
      fc.array(fc.boolean(), { minLength: to.length, maxLength: to.length }),
    )
    .map(([dropped, ones]) => to.map((d, i) => (ones[i] ? 1 : d)).slice(dropped));

/** An input that a window of `reach` fits into, and how it moves over it. */
const sliding = fc
  .record({
    kernel: fc.tuple(size, size),
    strides: fc.tuple(size, size),
    dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 })),
    slack: fc.tuple(fc.nat(4), fc.nat(4)),
    pads: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
  })
  .map(({ kernel, strides, dilations, slack, pads }) => {
    const spatial = kernel.map((k, i) => (k - 1) * dilations[i]! + 1 + slack[i]!);
    return { spatial, kernel, attributes: { strides, dilations, pads } };
  });

async function holds(cases: fc.Arbitrary<Case>, numRuns = 40): Promise<void> {
  await fc.assert(
    fc.asyncProperty(cases, async (c) => {
      expect(await directionalError(c, cpu)).toBeLessThan(c.dtype === 'float64' ? 1e-7 : 1e-5);
    }),
    { seed: 20, numRuns },
  );
}

describe('rules hold for any shape', () => {
  it.each(['Add', 'Sub', 'Mul', 'Div', 'Max'] as const)('%s of broadcast operands', (op) =>
    holds(
      shape
        .chain((to) => fc.tuple(stretchable(to), stretchable(to)))
        .map(([a, b]) => rule(op, '', [x(...a), x(...b)])),
      25,
    ),
  );

  it('Where of three broadcast operands', () =>
    holds(
      shape
        .chain((to) => fc.tuple(stretchable(to), stretchable(to), stretchable(to)))
        .map(([c, a, b]) => {
          const elements = c.reduce((m, n) => m * n, 1);
          return rule('Where', '', [
            bools(c, ...Array.from({ length: elements }, (_, i) => i % 2)),
            x(...a),
            x(...b),
          ]);
        }),
    ));

  it('MatMul of stretched batches', () =>
    holds(
      fc
        .tuple(fc.array(size, { maxLength: 2 }), size, size, size)
        .chain(([batch, m, k, n]) =>
          fc
            .tuple(stretchable(batch), stretchable(batch))
            .map(([a, b]) => rule('MatMul', '', [x(...a, m, k), x(...b, k, n)])),
        ),
    ));

  it('Transpose by any permutation', () =>
    holds(
      shape.chain((s) =>
        fc
          .shuffledSubarray([...s.keys()], { minLength: s.length })
          .map((perm) => rule('Transpose', '', [x(...s)], { perm })),
      ),
      20,
    ));

  it('Slice with any step', () =>
    holds(
      fc
        .tuple(
          fc.integer({ min: 2, max: 9 }),
          fc.integer({ min: -9, max: 9 }),
          fc.integer({ min: -9, max: 9 }),
          fc.integer({ min: -3, max: 3 }),
        )
        .filter(([n, start, end, step]) => step !== 0 && taken(n, start, end, step) > 0)
        .map(([n, start, end, step]) =>
          rule('Slice', '', [x(-1, n), ints(start), ints(end), ints(1), ints(step)]),
        ),
    ));

  it('Gather of any indices', () =>
    holds(
      fc.tuple(size, fc.array(fc.nat(3), { minLength: 1, maxLength: 7 })).map(([n, indices]) =>
        rule('Gather', '', [x(-1, n, 2), ints(...indices.map((i) => (i % n) - (i % 2 ? n : 0)))], {
          axis: 1,
        }),
      ),
    ));

  it('Conv of any geometry', () =>
    holds(
      fc
        .tuple(sliding, fc.constantFrom([1, 2, 3], [2, 4, 2], [3, 3, 6]))
        .map(([{ spatial, kernel, attributes }, [group, i, o]]) =>
          rule(
            'Conv',
            '',
            [x(-1, i!, ...spatial), weight(o!, i! / group!, ...kernel)],
            { ...attributes, group: group! },
            single,
          ),
        ),
      80,
    ));

  it('ConvTranspose of any geometry', () =>
    holds(
      sliding.map(({ spatial, kernel, attributes }) =>
        rule(
          'ConvTranspose',
          '',
          [x(-1, 2, ...spatial), weight(2, 3, ...kernel)],
          { ...attributes, pads: [0, 0, 0, 0] },
          single,
        ),
      ),
    ));

  it.each(['MaxPool', 'AveragePool'] as const)('%s of any geometry', (op) =>
    holds(
      fc
        .tuple(sliding, fc.constantFrom(0, 1), fc.constantFrom(0, 1))
        .map(([{ spatial, kernel, attributes }, ceil_mode, count_include_pad]) => {
          const pads = attributes.pads.map((p, i) => Math.min(p, kernel[i % 2]! - 1));
          const shared = { ...attributes, kernel_shape: kernel, pads, ceil_mode };
          return op === 'MaxPool'
            ? rule(op, '', [x(-1, 1, ...spatial)], shared)
            : rule(
                op,
                '',
                [x(-1, 1, ...spatial)],
                { ...shared, count_include_pad },
                { ...single, opset: 19 },
              );
        }),
      80,
    ),
  );
});

/** How many elements a Slice takes, as NumPy counts them. */
function taken(n: number, start: number, end: number, step: number): number {
  const from = Math.min(Math.max(start < 0 ? start + n : start, step > 0 ? 0 : -1), step > 0 ? n : n - 1);
  const to = Math.min(Math.max(end < 0 ? end + n : end, step > 0 ? 0 : -1), step > 0 ? n : n - 1);
  return Math.ceil((to - from) / step);
}
