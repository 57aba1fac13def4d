import { describe, expect, it } from 'vitest';
import { listing } from '../onnx/listing.ts';
import { attributesOf, canonical } from '../testing/canonical.ts';
import { onnxFile } from '../testing/onnx-file.ts';

describe('what canonicalize leaves out', () => {
  it('pads that follow from the size, as for an even division by a stride', () => {
    const scalar = (name: string, dataType: number, v: number) =>
      dataType === 7
        ? { name, dims: [], dataType, int64Data: [BigInt(v)] }
        : { name, dims: [], dataType, floatData: [v] };
    const list = (name: string, ...values: number[]) => ({
      name,
      dims: [BigInt(values.length)],
      dataType: 7,
      int64Data: values.map(BigInt),
    });
    const to = (i: number) => attributesOf({ to: i });
    const node = [
      { opType: 'Shape', name: 's', input: ['image'], output: ['shape'] },
      { opType: 'Gather', name: 'g', input: ['shape', 'three'], output: ['width'] },
      { opType: 'Cast', name: 'f', input: ['width'], output: ['real'], attribute: to(1) },
      { opType: 'Sub', name: 'm', input: ['five', 'real'], output: ['missing'] },
      { opType: 'Clip', name: 'c', input: ['missing', 'none'], output: ['total'] },
      { opType: 'Relu', name: 'r', input: ['total'], output: ['again'] },
      { opType: 'Cast', name: 'i', input: ['again'], output: ['whole'], attribute: to(7) },
      { opType: 'Unsqueeze', name: 'u', input: ['whole', 'zero'], output: ['after'] },
      {
        opType: 'Concat',
        name: 'p',
        input: ['before', 'after'],
        output: ['pads'],
        attribute: attributesOf({ axis: 0 }),
      },
      { opType: 'Pad', name: 'y', input: ['image', 'pads'], output: ['y'] },
    ];
    const initializer = [
      scalar('three', 7, 3),
      scalar('five', 1, 5),
      scalar('none', 1, 0),
      list('zero', 0),
      list('before', 0, 0, 0, 0, 0, 0, 0),
    ];
    const made = canonical(onnxFile({ node, initializer }));
    expect(made.shapes).toEqual([['batch', 3, 4, 5]]);
    expect(made.graph.constants.get('pads')?.data).toEqual(BigInt64Array.of(0n, 0n, 0n, 0n, 0n, 0n, 0n, 1n));
  });

  it('pads that are turned around as a matrix, as PyTorch writes them', () => {
    const matrix = { name: 'matrix', dims: [2n], dataType: 7, int64Data: [-1n, 2n] };
    const given = { name: 'given', dims: [8n], dataType: 7, int64Data: [0n, 0n, 0n, 0n, 1n, 2n, 3n, 1n] };
    const flat = { name: 'flat', dims: [1n], dataType: 7, int64Data: [-1n] };
    const node = [
      { opType: 'Reshape', name: 'm', input: ['given', 'matrix'], output: ['pairs'] },
      { opType: 'Transpose', name: 't', input: ['pairs'], output: ['turned'] },
      { opType: 'Reshape', name: 'f', input: ['turned', 'flat'], output: ['pads'] },
      { opType: 'Pad', name: 'p', input: ['image', 'pads'], output: ['y'] },
    ];
    const made = canonical(onnxFile({ node, initializer: [matrix, given, flat] }));
    expect(made.shapes).toEqual([['batch', 3, 7, 8]]);
    expect(made.graph.nodes.map((n) => n.op)).toEqual(['Pad']);
  });

  it('repeats that are said by a OneHot, along any axis of it', () => {
    const list = (name: string, dims: bigint[], ...values: number[]) => ({
      name,
      dims,
      dataType: 7,
      int64Data: values.map(BigInt),
    });
    const node = [
      {
        opType: 'OneHot',
        name: 'o',
        input: ['where', 'depth', 'range'],
        output: ['table'],
        attribute: attributesOf({ axis: 0 }),
      },
      { opType: 'Transpose', name: 't', input: ['table'], output: ['turned'] },
      { opType: 'Gather', name: 'h', input: ['turned', 'first'], output: ['row'] },
      { opType: 'Tile', name: 'i', input: ['image', 'row'], output: ['wide'] },
      { opType: 'ReduceMax', name: 'y', input: ['wide'], output: ['y'] },
    ];
    const initializer = [
      list('where', [2n], -1, 1),
      list('depth', [], 4),
      list('range', [2n], 1, 3),
      list('first', [], 0),
    ];
    const made = canonical(onnxFile({ node, initializer }));
    expect(made.graph.constants.get('row')?.data).toEqual(BigInt64Array.of(1n, 1n, 1n, 3n));
  });

  it('the shape of a Reshape becomes a constant: the batch is copied where it stays, or found', () => {
    const shape = { opType: 'Shape', name: 's', input: ['image'], output: ['shape'] };
    const axis = (name: string, index: number) => ({
      opType: 'Gather',
      name,
      input: ['shape', `at${index}`],
      output: [name],
    });
    const joined = { opType: 'Mul', name: 'm', input: ['batch', 'channels'], output: ['rows'] };
    const concat = (name: string, ...input: string[]) => ({
      opType: 'Concat',
      name,
      input,
      output: [name],
      attribute: attributesOf({ axis: 0 }),
    });
    const reshape = (name: string, ...input: string[]) => ({
      opType: 'Reshape',
      name,
      input,
      output: [name],
    });
    const node = [
      shape,
      axis('batch', 0),
      axis('channels', 1),
      joined,
      concat('merged', 'rows', 'at16'),
      concat('parted', 'batch', 'at4', 'at12'),
      reshape('planes', 'image', 'merged'),
      reshape('again', 'planes', 'parted'),
      reshape('y', 'again', 'parted'),
    ];
    const initializer = [0, 1, 4, 12, 16].map((value) => ({
      name: `at${value}`,
      dims: [1n],
      dataType: 7,
      int64Data: [BigInt(value)],
    }));
    expect(listing(canonical(onnxFile({ node, initializer })).graph)).toMatchInlineSnapshot(`
      "(image: float32 [batch, 3, 4, 4])
      planes = Reshape(image, [-1 16])
      again = Reshape(planes, [-1 4 12])
      y = Reshape(again, [0 4 12])
      return y"
    `);
  });

  it('shape arithmetic becomes constants, identities disappear', () => {
    const node = [
      { opType: 'Identity', name: 'i', input: ['image'], output: ['same'] },
      { opType: 'Shape', name: 's', input: ['same'], output: ['shape'] },
      { opType: 'Gather', name: 'g', input: ['shape', 'zero'], output: ['batch'] },
      {
        opType: 'Concat',
        name: 'c',
        input: ['batch', 'minus'],
        output: ['target'],
        attribute: attributesOf({ axis: 0 }),
      },
      { opType: 'Reshape', name: 'r', input: ['same', 'target'], output: ['y'] },
    ];
    const initializer = [
      { name: 'zero', dims: [1n], dataType: 7, int64Data: [0n] },
      { name: 'minus', dims: [1n], dataType: 7, int64Data: [-1n] },
    ];
    expect(listing(canonical(onnxFile({ node, initializer })).graph)).toMatchInlineSnapshot(`
      "(image: float32 [batch, 3, 4, 4])
      y = Reshape(image, [0 48])
      return y"
    `);
    expect(listing(canonical(onnxFile({ node, initializer }), 1).graph)).toMatchInlineSnapshot(`
      "(image: float32 [batch, 3, 4, 4])
      y = Reshape(image, [1 -1])
      return y"
    `);
  });
});
