import { describe, expect, it } from 'vitest';
import { createExplainer } from '../explainer.ts';
import { graphFileOf } from '../graph-file.ts';
import { readClassifier } from '../model/classifier.ts';
import { type Attributes, float } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { float32, sizeOf, type Tensor, tensor } from '../tensor.ts';
import { expectClose } from '../testing/close.ts';
import { menagerie } from '../testing/menagerie.ts';
import { contentsOf } from '../testing/onnx-file.ts';
import { cpu } from '../testing/ort.ts';
import { lowestOpset } from './lowest-opset.ts';

/** What a graph of opset 25 is written at that has one node. */
const ofNode = (op: OperatorName, attributes: Attributes = {}, zero?: 'uint8' | 'uint16') =>
  lowestOpset({
    opset: 25,
    nodes: [{ op, name: 'node', inputs: ['x', 'scale', 'zero'], outputs: ['y'], attributes }],
    constants: new Map(
      zero && [['zero', tensor(zero, [], (zero === 'uint8' ? Uint8Array : Uint16Array).of(0))]],
    ),
  });

describe('the opset that a graph is written at', () => {
  it('is that of the model up to 18', () => {
    expect([17, 18].map((opset) => lowestOpset({ opset, nodes: [], constants: new Map() }))).toEqual([
      17, 18,
    ]);
  });

  it.each([
    ['a pool', ofNode('MaxPool'), 18],
    ['an average pool', ofNode('AveragePool'), 18],
    ['an average pool whose windows are rounded up', ofNode('AveragePool', { ceil_mode: 1 }), 25],
    ['an average pool of dilated windows', ofNode('AveragePool', { dilations: [1, 2] }), 25],
    ['padding that wraps around', ofNode('Pad', { mode: 'wrap' }), 19],
    ['a Resize', ofNode('Resize', { antialias: 1 }), 18],
    ['a Cast that says how it saturates', ofNode('Cast', { to: 1, saturate: 1 }), 25],
    ['levels of 8 bits', ofNode('QuantizeLinear', {}, 'uint8'), 18],
    ['levels of 16 bits', ofNode('QuantizeLinear', {}, 'uint16'), 25],
    ['levels in blocks', ofNode('DequantizeLinear', { block_size: 32 }, 'uint8'), 25],
    ['levels of a type that is not known', ofNode('DequantizeLinear'), 25],
    ['GELU', ofNode('Gelu'), 20],
    ['Swish', ofNode('Swish', { alpha: float(1) }), 24],
    ['an operator that nobody has looked at', ofNode('DeformConv'), 25],
  ])('%s', (_, found, expected) => {
    expect(found).toBe(expected);
  });

  it.each([
    ['maps', 2, 18],
    ['tokens', 3, 18],
    ['whole numbers, whose type nothing says', 4, 24],
  ])('a network of opset 24, of %s, is what it is at 17', async (_, i, opset) => {
    const model = menagerie(24)[i]!;
    const { shape, ...own } = await explained(menagerie()[i]!);
    const newer = await explained(model);
    expect([contentsOf(model).opset, own.opset, newer.opset]).toEqual([24, 17, opset]);
    expectClose(newer.logits, own.logits);
    expectClose(newer.attribution, own.attribution);
    const [atOwn, atNewer] = await Promise.all([menagerie()[i]!, model].map((file) => scored(file, shape)));
    expectClose(atNewer!, atOwn!);
  });
});

const wave = (shape: readonly number[]) =>
  float32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(3 * i)),
  );

/** A saliency map, and the opset of the graph that makes it. */
async function explained(model: Uint8Array) {
  let opset = 0;
  const load: Runtime['load'] = (bytes) => {
    opset = contentsOf(graphFileOf(bytes).bytes).opset;
    return cpu.load(bytes);
  };
  const classifier = readClassifier(model);
  const shape = [2, ...classifier.inputShape];
  const explainer = await createExplainer(classifier, { method: 'saliency' }, { ...cpu, load });
  const { attribution, logits } = await explainer.attribute(wave(shape), [0, 0]);
  await explainer.close();
  return { attribution, logits, opset, shape };
}

/** What ONNX Runtime makes of the file itself. */
async function scored(model: Uint8Array, shape: readonly number[]): Promise<Tensor> {
  const session = await cpu.load(model);
  const [scores] = Object.values(await session.run({ image: wave(shape) }));
  await session.close();
  return scores!;
}
