import { describe, expect, it } from 'vitest';
import { compileExplainer } from '../explainer.ts';
import { inspect } from '../inspect.ts';
import { readClassifier } from '../model/classifier.ts';
import { forwardModel } from '../programs/forward.ts';
import { float32, int64 } from '../tensor.ts';
import { type AttributeInit, onnxFile, value } from '../testing/onnx-file.ts';
import { cpu } from '../testing/ort.ts';

const word = (name: string, s: string): AttributeInit => ({ name, type: 3, s: new TextEncoder().encode(s) });
const node = (opType: string, input: string[], output: string, attribute: AttributeInit[] = []) => ({
  opType,
  name: output,
  input,
  output: [output],
  attribute,
});
const wave = (name: string, dims: number[], amplitude: number) => ({
  name,
  dims: dims.map(BigInt),
  dataType: 1,
  floatData: Array.from(
    { length: dims.reduce((a, b) => a * b, 1) },
    (_, i) => amplitude * Math.sin(1.7 * i + 0.4),
  ),
});

/** A spatial transformer: the image sampled where a convolution of it says, a weighted mean per class. */
const file = (mode: string, padding: string, aligned: number) =>
  onnxFile(
    {
      node: [
        node('Conv', ['image', 'w'], 'places'),
        node('Transpose', ['places'], 'grid', [{ name: 'perm', type: 7, ints: [0n, 2n, 3n, 1n] }]),
        node('GridSample', ['image', 'grid'], 'sampled', [
          word('mode', mode),
          word('padding_mode', padding),
          { name: 'align_corners', type: 2, i: BigInt(aligned) },
        ]),
        node('Mul', ['sampled', 'v'], 'weighted'),
        node('GlobalAveragePool', ['weighted'], 'y'),
      ],
      initializer: [wave('w', [2, 3, 2, 2], 0.5), wave('v', [1, 3, 3, 4], 1)],
      input: [value('image', 'batch', 3, 4, 5)],
      output: [value('y', 'batch', 3, 1, 1)],
    },
    { opsetImport: [{ version: mode.startsWith('bi') ? 16n : 20n }] },
  );

const image = () =>
  float32(
    [2, 3, 4, 5],
    Float32Array.from({ length: 120 }, (_, i) => Math.sin(0.9 * i) + Math.cos(0.05 * i * i) / 2),
  );

describe('GridSample is written out, so that images and grids have derivatives', () => {
  it.each(
    ['bilinear', 'linear', 'nearest', 'bicubic', 'cubic'].flatMap((mode) =>
      ['zeros', 'border', 'reflection'].flatMap((padding) =>
        [0, 1].map((aligned) => [mode, padding, aligned] as const),
      ),
    ),
  )('%s, %s, align_corners %i', async (mode, padding, aligned) => {
    const bytes = file(mode, padding, aligned);
    const classifier = readClassifier(bytes);
    const own = await cpu.load(bytes);
    const forward = await cpu.load(forwardModel(classifier));
    const { y } = await own.run({ image: image() });
    const { logits } = await forward.run({ image: image() });
    logits!.data.forEach((v, i) => {
      expect(v).toBeCloseTo(Number(y!.data[i]), 5);
    });
    const saliency = await cpu.load(
      compileExplainer(classifier, { method: 'saliency', parameters: { abs: false } }),
    );
    const { attribution } = await saliency.run({ image: image(), class_index: int64([2], [1, 2]) });
    // Differences of what ONNX Runtime's own GridSample gives, except beside a kink: most of them agree.
    const score = async (k: number, by: number) => {
      const moved = image();
      moved.data[k]! += by;
      const { y } = await own.run({ image: moved });
      return Number(y!.data[k < 60 ? 1 : 5]);
    };
    const errors: number[] = [];
    for (let k = 0; k < 120; k += 3) {
      const slope = ((await score(k, 1e-2)) - (await score(k, -1e-2))) / 2e-2;
      errors.push(Math.abs(slope - Number(attribution!.data[k])));
    }
    errors.sort((a, b) => a - b);
    expect(errors[Math.floor(errors.length * 0.7)]).toBeLessThan(2e-3);
    for (const session of [own, forward, saliency]) await session.close();
  });

  it('volumes are named as without a derivative', () => {
    const volume = onnxFile(
      {
        node: [
          node('Unsqueeze', ['image', 'two'], 'volume'),
          node('Conv', ['image', 'w'], 'places'),
          node('Transpose', ['places'], 'flat', [{ name: 'perm', type: 7, ints: [0n, 2n, 3n, 1n] }]),
          node('Unsqueeze', ['flat', 'one'], 'grid'),
          node('GridSample', ['volume', 'grid'], 'sampled'),
          node('GlobalAveragePool', ['sampled'], 'y'),
        ],
        initializer: [
          wave('w', [3, 3, 2, 2], 0.5),
          { name: 'one', dims: [1n], dataType: 7, int64Data: [1n] },
          { name: 'two', dims: [1n], dataType: 7, int64Data: [2n] },
        ],
        input: [value('image', 'batch', 3, 4, 5)],
        output: [value('y', 'batch', 3, 1, 1, 1)],
      },
      { opsetImport: [{ version: 20n }] },
    );
    expect(inspect(volume).unsupported).toEqual([{ op: 'GridSample', nodes: ['sampled'] }]);
  });
});
