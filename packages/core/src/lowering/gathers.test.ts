import { describe, expect, it } from 'vitest';
import { listing } from '../onnx/listing.ts';
import { attributesOf, canonical, outputsOf } from '../testing/canonical.ts';
import { onnxFile } from '../testing/onnx-file.ts';

describe('a gather that is something simpler', () => {
  it('of every element in order is a Reshape, however large the batch', async () => {
    const ints = (name: string, ...values: number[]) => ({
      name,
      dims: [BigInt(values.length)],
      dataType: 7,
      int64Data: values.map(BigInt),
    });
    const scalar = (name: string, v: number) => ({ name, dims: [], dataType: 7, int64Data: [BigInt(v)] });
    const node = [
      { opType: 'Reshape', name: 'r', input: ['image', 'minus'], output: ['flat'] },
      {
        opType: 'Shape',
        name: 's',
        input: ['image'],
        output: ['shape'],
        attribute: attributesOf({ end: 1 }),
      },
      { opType: 'Squeeze', name: 'q', input: ['shape'], output: ['batch'] },
      { opType: 'Range', name: 'n', input: ['zero', 'batch', 'one'], output: ['rows'] },
      { opType: 'Mul', name: 'm', input: ['rows', 'stride'], output: ['starts'] },
      { opType: 'Unsqueeze', name: 'u', input: ['starts', 'last'], output: ['column'] },
      { opType: 'Add', name: 'a', input: ['column', 'offsets'], output: ['index'] },
      { opType: 'Gather', name: 'g', input: ['flat', 'index'], output: ['y'] },
    ];
    const initializer = [
      ints('minus', -1),
      scalar('zero', 0),
      scalar('one', 1),
      ints('stride', 48),
      ints('last', 1),
      ints('offsets', ...Array(48).keys()),
    ];
    const file = onnxFile({ node, initializer });
    expect(listing(canonical(file).graph)).toMatchInlineSnapshot(`
      "(image: float32 [batch, 3, 4, 4])
      flat = Reshape(image, [-1])
      y = Reshape(flat, [-1 48])
      return y"
    `);
    expect(await outputsOf(canonical(file).bytes, [3, 3, 4, 4])).toEqual(await outputsOf(file, [3, 3, 4, 4]));
  });

  it('by known tuples is a Gather along one axis', async () => {
    const node = [
      {
        opType: 'Transpose',
        name: 't',
        input: ['image'],
        output: ['moved'],
        attribute: attributesOf({ perm: [2, 3, 0, 1] }),
      },
      { opType: 'GatherND', name: 'g', input: ['moved', 'tuples'], output: ['y'] },
    ];
    const initializer = [
      { name: 'tuples', dims: [3n, 2n], dataType: 7, int64Data: [0n, 1n, 3n, -1n, 0n, 1n] },
    ];
    const file = onnxFile({ node, initializer });
    expect(canonical(file).graph.nodes.map((n) => n.op)).toEqual(['Transpose', 'Reshape', 'Gather']);
    expect(await outputsOf(canonical(file).bytes, [2, 3, 4, 4])).toEqual(await outputsOf(file, [2, 3, 4, 4]));
  });
});
