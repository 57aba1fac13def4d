import { float32 } from '@whylight/core';
import { type AttributeInit, onnxFile, value } from '@whylight/core/testing';
import { expect, test } from 'vitest';
import { createRuntime } from './runtime.ts';

const ints = (name: string, ...numbers: number[]): AttributeInit => ({
  name,
  type: 7,
  ints: numbers.map(BigInt),
});

/** A 2 x 2 image of -4 with a row and a column of zeros around it, then the maximum of each 2 x 2 places. */
const file = onnxFile({
  node: [
    { opType: 'Relu', name: 'relu', input: ['x'], output: ['positive'] },
    { opType: 'Sub', name: 'sub', input: ['positive', 'four'], output: ['image'] },
    { opType: 'Pad', name: 'pad', input: ['image', 'pads', 'zero'], output: ['padded'] },
    {
      ...{ opType: 'MaxPool', name: 'pool', input: ['padded'], output: ['y'] },
      attribute: [ints('kernel_shape', 2, 2), ints('strides', 2, 2)],
    },
  ],
  initializer: [
    { name: 'pads', dataType: 7, dims: [8n], int64Data: [0n, 0n, 1n, 1n, 0n, 0n, 1n, 1n] },
    { name: 'zero', dataType: 1, floatData: [0] },
    { name: 'four', dataType: 1, floatData: [4] },
  ],
  input: [value('x', 1, 1, 2, 2)],
  output: [value('y', 1, 1, 2, 2)],
});

test('zeros around the input of a MaxPool are part of the input', async () => {
  const runtime = await createRuntime({ ep: 'cpu' });
  const session = await runtime.load(file);
  const { y } = await session.run({ x: float32([1, 1, 2, 2], [0, 0, 0, 0]) });
  await session.close();
  expect(Array.from(y!.data as Float32Array)).toEqual([0, 0, 0, 0]);
});
