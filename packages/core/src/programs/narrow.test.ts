import { describe, expect, it } from 'vitest';
import { type Network, readClassifier } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { reachable } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { float32, int64, type Tensor } from '../tensor.ts';
import { expectClose } from '../testing/close.ts';
import { networkOf, tinyImages, tinyShape } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';
import { tinyTransformer } from '../testing/transformer.ts';
import { built } from './built.ts';
import { narrow } from './narrow.ts';

const inlined = (model: Uint8Array): Network =>
  readClassifier(model).inline((g) => g.input('image', 'float32', [-1, ...tinyShape]));

async function run({ g }: Network, wanted: Readonly<Record<string, Value>>): Promise<Record<string, Tensor>> {
  const session = await cpu.load(built(g, wanted).bytes);
  const found = await session.run({ image: tinyImages() });
  await session.close();
  return found;
}

/** Tokens that products with weights are made of, in order. */
const tokensOf = ({ g, logits }: Network): number[] =>
  reachable(g.nodes, [logits])
    .filter(({ op, inputs }) => op === 'MatMul' && g.constants.has(inputs[1]!))
    .map(({ outputs }) => g.shape(outputs[0]!)[1]!);

/** Tokens [N, 9, 4] of 3×3 patches, a layer over each, and what is read of them. */
const tokenNetwork = (
  read: (g: GraphBuilder, tokens: Value, layer: (op: OperatorName, x: Value[], a?: object) => Value) => Value,
) =>
  networkOf(tinyShape, (layer, image, g) => {
    const wave = (...shape: number[]) =>
      g.constant(
        float32(
          shape,
          Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i + 1)),
        ),
      );
    let serial = 0;
    const step = (op: OperatorName, x: Value[], attributes = {}) => layer(`n${serial++}`, op, x, attributes);
    const patches = step('Conv', [image, wave(4, 2, 2, 2)], { strides: [2, 2] });
    const tokens = step('Transpose', [step('Reshape', [patches, g.constant(int64([3], [-1, 4, 9]))])], {
      perm: [0, 2, 1],
    });
    const hidden = step('Tanh', [step('Add', [step('MatMul', [tokens, wave(4, 6)]), wave(9, 6)])]);
    const scored = step('MatMul', [layer('hidden', 'Mul', [hidden, hidden]), wave(6, 3)]);
    return read(g, scored, step);
  });
const taken = (
  g: GraphBuilder,
  tokens: Value,
  step: (op: OperatorName, x: Value[], a?: object) => Value,
  index: number,
) => step('Gather', [tokens, g.constant(int64([], [index]))], { axis: 1 });

describe('what is computed for nobody', () => {
  it('is left out: after the last attention only the class token is followed', async () => {
    const network = inlined(tinyTransformer());
    const expected = await run(network, { logits: network.logits });
    expect(tokensOf(network)).toEqual(Array(12).fill(10));
    narrow(network, []);
    // q, k and v of the last block come of all tokens; q's product is one node of its own, and so is narrow
    expect(tokensOf(network)).toEqual([...Array(6).fill(10), 1, 10, 10, 1, 1, 1]);
    expectClose((await run(network, { logits: network.logits })).logits!, expected.logits!);
  });

  it('is kept where somebody looks at it', async () => {
    const network = inlined(tinyTransformer());
    const before = await run(network, { logits: network.logits, layer: 'block1.fc1' });
    narrow(network, ['block1.fc1']);
    expect(tokensOf(network)).toEqual([...Array(11).fill(10), 1]);
    const after = await run(network, { logits: network.logits, layer: 'block1.fc1' });
    expectClose(after.logits!, before.logits!);
    expect(after.layer).toEqual(before.layer);
  });

  it('is what lies outside of all that several readers take', async () => {
    const model = tokenNetwork((g, tokens, step) =>
      step('Sub', [
        taken(g, tokens, step, 3),
        step('Squeeze', [step('Slice', [tokens, g.ints([-5]), g.ints([-4]), g.ints([1])]), g.ints([1])]),
      ]),
    );
    const network = inlined(model);
    const expected = await run(network, { logits: network.logits });
    narrow(network, []);
    expect(tokensOf(network)).toEqual([2, 2]);
    expectClose((await run(network, { logits: network.logits })).logits!, expected.logits!);
  });

  it('is nothing where readers take more than half', () => {
    const network = inlined(
      tokenNetwork((g, tokens, step) => step('Add', [taken(g, tokens, step, 0), taken(g, tokens, step, 8)])),
    );
    const before = [...network.g.nodes];
    narrow(network, []);
    expect(network.g.nodes).toEqual(before);
  });

  it('is what lies outside of all that readers make something of by themselves', async () => {
    const model = tokenNetwork((g, tokens, step) => {
      const means = [
        ['Tanh', 3, 4],
        ['Relu', 3, 5],
        ['Sigmoid', 4, 7],
      ] as const;
      const read = means.map(([op, start, end]) => {
        const rows = step('Slice', [step(op, [tokens]), g.ints([start]), g.ints([end]), g.ints([1])]);
        return step('ReduceMean', [rows, g.ints([1])], { keepdims: 0 });
      });
      return step('Sum', read);
    });
    const network = inlined(model);
    const expected = await run(network, { logits: network.logits });
    narrow(network, []);
    expect(tokensOf(network)).toEqual([4, 4]);
    expectClose((await run(network, { logits: network.logits })).logits!, expected.logits!);
  });

  it('is nothing where one reader takes a token and another a feature', async () => {
    const model = tokenNetwork((g, tokens, step) => {
      const hidden = step('Tanh', [tokens]);
      const token = taken(g, step('Relu', [hidden]), step, 3);
      const turned = step('Transpose', [step('Sigmoid', [hidden])], { perm: [0, 2, 1] });
      return step('Concat', [token, taken(g, turned, step, 1)], { axis: 1 });
    });
    const network = inlined(model);
    const expected = await run(network, { logits: network.logits });
    narrow(network, []);
    expect(tokensOf(network)).toEqual([9, 9]);
    expectClose((await run(network, { logits: network.logits })).logits!, expected.logits!);
  });

  it('is nothing where an operator gives more than what is read', async () => {
    const model = tokenNetwork((g, tokens, step) => {
      const scale = g.constant(float32([3], [1, 2, 3]));
      g.add({
        op: 'LayerNormalization',
        name: 'norm',
        inputs: [tokens, scale],
        outputs: ['norm', 'means'],
        attributes: { axis: -1 },
      });
      const means = step('ReduceMean', ['means', g.ints([1])], { keepdims: 0 });
      return step('Add', [taken(g, 'norm', step, 4), means]);
    });
    const network = inlined(model);
    const expected = await run(network, { logits: network.logits });
    narrow(network, []);
    expectClose((await run(network, { logits: network.logits })).logits!, expected.logits!);
  });
});
