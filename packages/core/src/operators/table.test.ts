import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Node } from '../onnx/graph.ts';
import {
  isStandardOperator,
  microsoftOperators,
  type OperatorName,
  spelledFunctions,
  standardOperators,
} from '../onnx/operator-names.ts';
import { newGraph } from './new-graph.ts';
import history from './onnx-history.json' with { type: 'json' };
import { nary, type Operator, unary } from './operator.ts';
import { operators, operatorsThat } from './table.ts';

/** What ONNX itself says: the first opset of an operator, and attributes by the opset after 18 that brought them. */
interface History {
  readonly first: number;
  readonly changes?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
const historyOf = (op: OperatorName): History => (history as Partial<Record<OperatorName, History>>)[op]!;

describe('the table has a row for every operator', () => {
  it('by the names that ONNX has', () => {
    expect([...standardOperators].sort()).toEqual(Object.keys(history).sort());
    const others = [...spelledFunctions, ...microsoftOperators];
    expect(Object.keys(operators).sort()).toEqual([...Object.keys(history), ...others].sort());
  });

  it('or does not compile', () => {
    const { Relu: _, ...others } = operators;
    expectTypeOf(operators).toEqualTypeOf<Readonly<Record<OperatorName, Operator>>>();
    // @ts-expect-error a row is missing
    expectTypeOf(others).toExtend<typeof operators>();
    // @ts-expect-error a fact is missing: the derivative
    expect(unary({})).toBeDefined();
    // @ts-expect-error two facts are missing: shape and derivative
    expect(nary({ linear: 'jointly' })).toBeDefined();
    // @ts-expect-error there is no such operator
    expect(() => newGraph(17).emit('Ad', [])).toThrow();
  });
});

describe('since', () => {
  const changesOf = (op: OperatorName) => Object.entries(historyOf(op).changes ?? {});
  const sinceOf = (op: OperatorName, attributes: Node['attributes'] = {}): number | null => {
    const { since } = operators[op];
    const node = { op, name: 'node', inputs: [], outputs: [], attributes };
    return typeof since === 'function' ? since(node, new Map()) : since;
  };
  const followed = operatorsThat(({ shape }) => shape !== null).filter(isStandardOperator);

  it.each(followed.filter((op) => typeof operators[op].since !== 'function'))(
    'of %s is the opset after which ONNX has changed nothing but types',
    (op) => {
      const changed = changesOf(op).map(([opset]) => Number(opset));
      const last = Math.max(18, historyOf(op).first, ...changed);
      // What has changed may be left at the model's own.
      expect(changed.length > 0 ? [last, null] : [last]).toContain(sinceOf(op));
    },
  );

  const added = followed.flatMap((op) =>
    changesOf(op).flatMap(([opset, attributes]) =>
      Object.entries(attributes).map(([name, type]) => [op, name, type, Number(opset)] as const),
    ),
  );
  it.each(added)('of %s with %s (%s) is %s or the model’s own', (op, name, type, opset) => {
    const value = type === 'INTS' ? [2, 2] : type === 'STRING' ? 'other' : 1;
    expect(sinceOf(op, { [name]: value }) ?? opset).toBeGreaterThanOrEqual(opset);
  });
});

describe('what follows from one fact holds in others', () => {
  it.each(operatorsThat(({ elementwise }) => elementwise))('%s, elementwise, keeps maps', (op) => {
    expect(operators[op]).toMatchObject({ map: 'keeps', normalises: false, window: null, weights: null });
  });

  it.each(operatorsThat(({ window }) => window !== null))('%s, a window over maps, gives maps', (op) => {
    expect(operators[op].map).not.toBe('ends');
  });

  it.each(operatorsThat(({ map }) => map === 'makes'))('%s, which makes maps, has weights', (op) => {
    expect(operators[op].weights).toBe(1);
  });

  it.each(operatorsThat(({ movement }) => movement !== 'no'))('%s, movement, is linear', (op) => {
    expect(operators[op].linear).toBe('jointly');
  });
});
