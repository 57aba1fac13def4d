import { describe, expect, it } from 'vitest';
import { compileExplainer } from '../../explainer.ts';
import { chooseLayers } from '../../layers/choose.ts';
import { readClassifier } from '../../model/classifier.ts';
import type { GraphBuilder } from '../../onnx/builder.ts';
import { readModel } from '../../onnx/read.ts';
import { newGraph } from '../../operators/new-graph.ts';
import { built } from '../../programs/built.ts';
import { float32 } from '../../tensor.ts';
import { networkOf } from '../../testing/network.ts';
import { cpu } from '../../testing/ort.ts';
import { spellings } from '../../testing/spellings.ts';
import { canonicalize } from '../canonicalize.ts';
import { recogniseFunctions } from './recognise.ts';

const shape = [8, 4, 4];
const data = (rows: number) =>
  float32(
    [rows, ...shape],
    Float32Array.from({ length: 128 * rows }, (_, i) => 2 * Math.sin(1.7 * i + 0.3)),
  );

/** conv `c`, SiLU of `gate` and `y`, average, a linear layer; the gate is given to another node too if asked. */
const network = (shared = false) =>
  networkOf(shape, (layer, image, g) => {
    const weights = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
    const c = layer('c', 'Conv', [image, g.constant(float32([8, 8, 1, 1], weights), 'w')]);
    const gate = layer('gate', 'Sigmoid', [c]);
    const y = layer('y', 'Mul', [c, gate]);
    const pooled = layer('pooled', 'GlobalAveragePool', [shared ? layer('sum', 'Add', [y, gate]) : y]);
    const head = g.constant(float32([8, 8], weights), 'head');
    return layer('scores', 'MatMul', [layer('flat', 'Flatten', [pooled]), head]);
  });

const inlined = (bytes: Uint8Array) =>
  readClassifier(bytes).inline((g) => g.input('image', 'float32', [-1, ...shape]));

const opsOf = (bytes: Uint8Array) => readModel(bytes).graph.nodes.map(({ op }) => op);

describe('a function of a file', () => {
  it('is one layer, and its parts are none', () => {
    const one = inlined(network());
    expect(one.g.nodes.map(({ op }) => op)).toEqual([
      'Conv',
      'Swish',
      'GlobalAveragePool',
      'Flatten',
      'MatMul',
    ]);
    expect(chooseLayers(one, [], 'paper')[0]!.name).toBe('y');
    expect(() => chooseLayers(one, ['gate'], 'paper')).toThrow(
      'layer "gate": it is a part of Swish; ask for the result of that, "y"',
    );
  });

  it('stays in pieces where another node, a user or the model itself looks inside', () => {
    expect(inlined(network(true)).g.maker('y')!.op).toBe('Mul');
    const { graph } = readModel(network());
    const feed = (g: GraphBuilder) => new Map([['image', g.input('image', 'float32', [-1, ...shape])]]);
    const opOf = ({ builder }: ReturnType<typeof canonicalize>) => builder.maker('y')!.op;
    expect(opOf(canonicalize(graph, feed))).toBe('Swish');
    expect(opOf(canonicalize({ ...graph, outputs: ['scores', 'gate'] }, feed))).toBe('Mul');
    const looked = new Map([['gate', (_: unknown, value: string) => value]]);
    const replaced = new Map([['gate', (g: GraphBuilder, value: string) => g.emit('Neg', [value])]]);
    expect(opOf(canonicalize(graph, feed, undefined, looked))).toBe('Swish');
    expect(opOf(canonicalize(graph, feed, undefined, replaced))).toBe('Mul');
  });

  it('is written as it came in: its gate once, for the derivative too', async () => {
    const classifier = readClassifier(network());
    const written = opsOf(compileExplainer(classifier, { method: 'saliency' }));
    expect(written).not.toContain('Swish');
    expect(written.filter((op) => op === 'Sigmoid')).toHaveLength(1);
    const { nodes } = readModel(compileExplainer(classifier, { method: 'saliency' })).graph;
    expect(nodes.flatMap(({ outputs }) => outputs)).toEqual(expect.arrayContaining(['c', 'gate', 'y']));
  });

  it.each(
    Object.entries(spellings).flatMap(([op, ways]) =>
      Object.entries(ways).map((way) => [op, ...way] as const),
    ),
  )('copied over another value: %s, %s', async (_, __, spelling) => {
    const made = (copied: boolean) => {
      const g = newGraph(17);
      const x = g.input('x', 'float32', [-1, ...shape]);
      const other = g.emit('Sin', [x]);
      const y = spelling(g, copied ? x : other);
      if (!copied) return built(g, { y });
      recogniseFunctions(g, [y], 2 ** -21);
      const node = g.maker(y)!;
      const [copy] = g.copy(node, node.inputs.with(0, other));
      return built(g, { y: copy!, original: y });
    };
    const run = async (bytes: Uint8Array) => {
      const session = await cpu.load(bytes);
      const found = await session.run({ x: data(2) });
      await session.close();
      return found.y!.data;
    };
    expect(await run(made(true).bytes)).toEqual(await run(made(false).bytes));
  });
});
