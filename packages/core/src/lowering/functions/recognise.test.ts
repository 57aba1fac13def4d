import { describe, expect, it } from 'vitest';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/graph.ts';
import { newGraph } from '../../operators/new-graph.ts';
import { nearMisses, type Spelling, spellings } from '../../testing/spellings.ts';
import { recognisers } from './index.ts';
import { recogniseFunctions } from './recognise.ts';
import { spellOut } from './spell-out.ts';

const precision = 2 ** -21;

function spelled(spelling: Spelling, outputs: (y: Value) => Value[] = (y) => [y]) {
  const g = newGraph(17);
  const x = g.input('x', 'float32', [-1, 8, 4, 4]);
  const y = spelling(g, x);
  const before = g.nodes.map(withoutTypes);
  recogniseFunctions(g, outputs(y), precision);
  return { g, x, y, before };
}

const withoutTypes = ({ op, inputs, outputs, attributes }: Node) => ({ op, inputs, outputs, attributes });

const cases = (table: typeof spellings) =>
  Object.entries(table).flatMap(([op, ways]) =>
    Object.entries(ways).map(([way, spelling]) => [op, way, spelling] as const),
  );

describe('functions that are spelled out', () => {
  it.each(cases(spellings))('%s: %s', (op, _, spelling) => {
    const { g, y, before } = spelled(spelling);
    expect(g.maker(y)).toMatchObject({ op, outputs: [y] });
    const inner = new Set(['Sigmoid', 'Erf', 'ReduceMean', 'ReduceSum', 'Exp']);
    expect(g.nodes.filter(({ op, outputs }) => inner.has(op) && outputs[0] !== y)).toEqual([]);
    spellOut(g);
    const dropped = before.filter(({ op }) => op === 'Expand').flatMap(({ outputs }) => outputs);
    expect(new Set(g.nodes.map(withoutTypes).map(({ outputs }) => outputs.join()))).toEqual(
      new Set(before.map(({ outputs }) => outputs.join()).filter((name) => !dropped.includes(name))),
    );
    if (dropped.length === 0) expect(g.nodes.map(withoutTypes)).toEqual(expect.arrayContaining(before));
  });

  it.each(cases(nearMisses))('are nothing else: %s, %s', (op, _, spelling) => {
    const { g } = spelled(spelling);
    expect(g.nodes.map((node) => node.op).filter((found) => found === op && recognised(g, found))).toEqual(
      [],
    );
  });

  it('are functions of a sum where it is the sum that they bend', () => {
    const { g, y } = spelled((g, x) => {
      const sum = g.emit('Add', [x, g.floats([8, 1, 1], new Float32Array(8).fill(0.1))]);
      return g.emit('Mul', [sum, g.emit('Sigmoid', [g.emit('Mul', [sum, g.scalar(1.5)])])]);
    });
    expect(g.maker(y)).toMatchObject({ op: 'Swish', attributes: { alpha: { float: 1.5 } } });
    expect(g.maker(g.maker(y)!.inputs[0]!)!.op).toBe('Add');
  });

  it('of a float16 file have constants of float16', () => {
    const half = (x: Value, g: GraphBuilder) => {
      const erf = g.emit('Erf', [g.emit('Mul', [x, g.scalar(0.70703125)])]);
      return g.emit('Mul', [x, g.emit('Mul', [g.emit('Add', [erf, g.scalar(1)]), g.scalar(0.5)])]);
    };
    const opOf = (allowed: number) => {
      const g = newGraph(17);
      const y = half(g.input('x', 'float32', [-1, 8, 4, 4]), g);
      recogniseFunctions(g, [y], allowed);
      return g.maker(y)!.op;
    };
    expect([opOf(precision), opOf(2 ** -11)]).toEqual(['Mul', 'Gelu']);
  });

  it('each have a spelling and a near miss', () => {
    expect(Object.keys(nearMisses).sort()).toEqual(Object.keys(spellings).sort());
    expect(Object.keys(recognisers).length).toBeGreaterThan(5);
  });
});

const recognised = (g: GraphBuilder, op: string): boolean =>
  g.nodes.some((node) => node.op === op && node.spelling !== undefined);
