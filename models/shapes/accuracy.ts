/** Evaluates shapes.onnx on drawings that it never saw: node models/shapes/accuracy.ts [COUNT] [FIRST_SEED] */
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { draw, firstTrainingSeed, kinds, size } from './draw.ts';

export const modelFile = fileURLToPath(new URL('shapes.onnx', import.meta.url));
export const mean = 0.5;
export const std = 0.25;

export interface Accuracy {
  drawings: number;
  right: number;
  /** confusion[label][predicted] */
  confusion: number[][];
}

/** The network's input for a picture: (x / 255 − mean) / std, float32 [1, 3, 128, 128]. */
export function networkInput(rgb: Uint8Array): Tensor {
  const pixels = size * size;
  const input = new Float32Array(3 * pixels);
  for (let at = 0; at < input.length; at++)
    input[at] = ((rgb[(at % pixels) * 3 + Math.floor(at / pixels)] ?? 0) / 255 - mean) / std;
  return new Tensor('float32', input, [1, 3, size, size]);
}

export async function measure(first: number, count: number): Promise<Accuracy> {
  if (first < 0 || first + count > firstTrainingSeed)
    throw new RangeError(
      `seeds: expected 0 to ${firstTrainingSeed - 1}, got ${first} to ${first + count - 1}`,
    );
  const session = await InferenceSession.create(modelFile, { intraOpNumThreads: 1 });
  const confusion = kinds.map(() => kinds.map(() => 0));
  let right = 0;
  for (let seed = first; seed < first + count; seed++) {
    const { picture, label } = draw(seed);
    const { logits } = await session.run({ image: networkInput(picture.data) });
    const scores = Array.from(logits?.data as Float32Array);
    const predicted = scores.indexOf(Math.max(...scores));
    const row = confusion[label] ?? [];
    row[predicted] = (row[predicted] ?? 0) + 1;
    if (predicted === label) right++;
  }
  await session.release();
  return { drawings: count, right, confusion };
}

/** The mistakes, most frequent first. */
export function mistakes({ confusion }: Accuracy): { label: string; predicted: string; count: number }[] {
  return confusion
    .flatMap((row, label) =>
      row.map((count, predicted) => ({
        label: kinds[label]?.en ?? '',
        predicted: kinds[predicted]?.en ?? '',
        count,
      })),
    )
    .filter(({ label, predicted, count }) => label !== predicted && count > 0)
    .sort((a, b) => b.count - a.count);
}

if (import.meta.main) {
  const [count = 5000, first = 0] = process.argv.slice(2).map(Number);
  const accuracy = await measure(first, count);
  console.log(`${accuracy.right} of ${count} right: ${((100 * accuracy.right) / count).toFixed(2)} %`);
  for (const { label, predicted, count } of mistakes(accuracy).slice(0, 8))
    console.log(`${label} taken for ${predicted}: ${count}`);
}
