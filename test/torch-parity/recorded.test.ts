import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { compileExplainer, float32, int64, readClassifier } from '@whylight/core';
import { cpu } from '@whylight/core/testing';
import { describe, expect, it } from 'vitest';

interface Recorded {
  readonly form: string;
  readonly target: number;
  /** Of the whole gradient: its largest element, and its Euclidean norm. */
  readonly largest: number;
  readonly norm: number;
  /** Elements of the gradient by position. */
  readonly gradient: Readonly<Record<string, number>>;
}

const folder = join(import.meta.dirname, 'recorded');
const { torch, networks }: { torch: string; networks: Record<string, Recorded> } = JSON.parse(
  readFileSync(join(folder, 'gradients.json'), 'utf8'),
);

const shape = [3, 32, 32];
const image = float32(
  [1, ...shape],
  Float32Array.from({ length: 3072 }, (_, i) => Math.sin(0.37 * i) + Math.cos(0.11 * i * i) / 2),
);

describe(`whole networks have the input gradient that PyTorch ${torch} recorded in float64 (record.py)`, () => {
  it.each(Object.entries(networks))('%s', async (name, { target, largest, norm, gradient }) => {
    const bytes = gunzipSync(readFileSync(join(folder, `${name}.onnx.gz`)));
    const classifier = readClassifier(bytes, { inputShape: shape });
    const saliency = await cpu.load(
      compileExplainer(classifier, { method: 'saliency', parameters: { abs: false } }),
    );
    const { attribution, target: predicted } = await saliency.run({ image, class_index: int64([1], [-1]) });
    await saliency.close();
    expect(Number(predicted!.data[0])).toBe(target);
    const found = attribution!.data as Float32Array;
    const errors = Object.entries(gradient).map(([k, v]) => Math.abs(found[Number(k)]! - v) / largest);
    expect(Math.max(...errors)).toBeLessThan(1e-5); // PyTorch's own float32 is within 1e-6
    expect(Math.hypot(...found) / norm).toBeCloseTo(1, 5);
  });
});
