import { expect, it } from 'vitest';
import { attributesOf, canonical, outputsOf } from '../testing/canonical.ts';
import { onnxFile, value } from '../testing/onnx-file.ts';

it.each([
  ['RNN', 1, 'forward', 2],
  ['GRU', 3, 'bidirectional', 2],
  ['LSTM', 4, 'bidirectional', 3],
] as const)(
  'the shapes of %s are those that ONNX Runtime gives',
  async (opType, gates, direction, outputs) => {
    const [directions, hidden, width] = [direction === 'forward' ? 1 : 2, 5, 4];
    const weights = (name: string, from: number) => ({
      name,
      dims: [directions, gates * hidden, from].map(BigInt),
      dataType: 1,
      floatData: Array.from({ length: directions * gates * hidden * from }, (_, i) => Math.sin(i)),
    });
    const names = ['all', 'last', 'cells'].slice(0, outputs);
    const node = [
      { opType: 'Reshape', name: 'r', input: ['image', 'rows'], output: ['steps last'] },
      {
        opType: 'Transpose',
        name: 't',
        input: ['steps last'],
        output: ['steps'],
        attribute: attributesOf({ perm: [1, 0, 2] }),
      },
      {
        opType,
        name: 'it',
        input: ['steps', 'w', 'r'],
        output: names,
        attribute: attributesOf({ hidden_size: hidden, direction }),
      },
    ];
    const rows = { name: 'rows', dims: [3n], dataType: 7, int64Data: [0n, 12n, BigInt(width)] };
    const file = onnxFile({
      node,
      initializer: [rows, weights('w', width), weights('r', hidden)],
      input: [value('image', 'batch', 3, 4, 4)],
      output: names.map((name) => ({ name, type: { tensorType: { elemType: 1 } } })),
    });
    const { shapes } = canonical(file);
    const found = (await outputsOf(file, [2, 3, 4, 4])).map(({ shape }) => shape);
    expect(shapes.map((shape) => shape.map((d) => (d === 'batch' ? 2 : d)))).toEqual(found);
  },
);
