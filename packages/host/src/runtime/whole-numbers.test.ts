import { float32, type Tensor } from '@whylight/core';
import { type AttributeInit, onnxFile, value } from '@whylight/core/testing';
import { describe, expect, test } from 'vitest';
import { createRuntime } from './runtime.ts';
import { sessionOptions } from './session-options.ts';

// What is multiplied here overflows 16 bits: 255·127 twice, and 255·-120 twice.

const levels = Array.from({ length: 256 }, (_, i) => (i % 3 === 0 ? -120 : 127));
const turned = Array.from({ length: 256 }, (_, i) => levels[(i % 4) * 64 + Math.floor(i / 4)]!);
/** Σ 2.55·w over 64 weights in hundredths, to whole numbers: by arithmetic, on paper. */
const exact = [0, 1, 2, 3].map((row) =>
  Math.round(levels.slice(row * 64, row * 64 + 64).reduce((sum, w) => sum + 2.55 * 0.01 * w, 0)),
);

const scale = (name: string, number: number) => ({ name, dataType: 1, floatData: [number] });
const zero = (name: string, dataType: number, number = 0) => ({ name, dataType, int32Data: [number] });
const int = (name: string, number: number): AttributeInit => ({ name, type: 2, i: BigInt(number) });

/** Four sums of 64 products as QDQ files have them, of activations with or without a sign. */
function file(op: 'Conv' | 'MatMul' | 'Gemm', signed: boolean): Uint8Array {
  const type = signed ? 3 : 2;
  const shape = op === 'Conv' ? [1, 64, 1, 1] : [1, 64];
  const dims = { Conv: [4n, 64n, 1n, 1n], MatMul: [64n, 4n], Gemm: [4n, 64n] }[op];
  const node = (opType: string, input: string[], output: string, attribute: AttributeInit[] = []) => ({
    opType,
    name: output,
    input,
    output: [output],
    attribute,
  });
  return onnxFile({
    node: [
      node('QuantizeLinear', ['x', 's', 'z'], 'q'),
      node('DequantizeLinear', ['q', 's', 'z'], 'd'),
      node('DequantizeLinear', ['w', 'ws', 'wz'], 'weights'),
      node(op, ['d', 'weights'], 'sums', op === 'Gemm' ? [int('transB', 1)] : []),
      node('QuantizeLinear', ['sums', 'os', 'oz'], 'levels'),
      node('DequantizeLinear', ['levels', 'os', 'oz'], 'y'),
    ],
    initializer: [
      scale('s', 0.01),
      zero('z', type, signed ? -128 : 0),
      { name: 'w', dataType: 3, dims, int32Data: op === 'MatMul' ? turned : levels },
      scale('ws', 0.01),
      zero('wz', 3),
      scale('os', 1),
      zero('oz', type),
    ],
    input: [value('x', ...shape)],
    output: [value('y', ...(op === 'Conv' ? [1, 4, 1, 1] : [1, 4]))],
  });
}

describe('M7: a quantized network gives the scores of its file on every processor', () => {
  test('no session fuses what is between whole numbers', () => {
    for (const ep of ['cpu', 'cuda', 'webgpu'] as const)
      expect(sessionOptions({ ep }).extra).toMatchObject({ session: { disable_quant_qdq: '1' } });
  });

  // A processor with VNNI never overflows; on one without, fused kernels give 37 and 40 here.
  test.each([
    ['Conv', false],
    ['Conv', true],
    ['MatMul', false],
    ['MatMul', true],
    ['Gemm', false],
    ['Gemm', true],
  ] as const)('%s, with a sign: %s', async (op, signed) => {
    const runtime = await createRuntime({ ep: 'cpu', threads: 1 });
    const session = await runtime.load(file(op, signed));
    const x: Tensor = float32(op === 'Conv' ? [1, 64, 1, 1] : [1, 64], new Float32Array(64).fill(2.55));
    const { y } = await session.run({ x });
    await session.close();
    expect([...(y!.data as Float32Array)]).toEqual(exact);
  });
});
