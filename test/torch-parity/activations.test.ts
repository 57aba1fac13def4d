import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createExplainer, type ExplainerSpec, float32, readClassifier } from '@whylight/core';
import { cpu } from '@whylight/core/testing';
import { describe, expect, it } from 'vitest';

interface Recorded {
  /** EXPORTER@OPSET of each file. */
  readonly forms: readonly string[];
  readonly target: number;
  /** The signed Grad-CAM of a hook on the activation, 8x8. */
  readonly cam: readonly number[];
  /** The largest element of the input gradient, and the sixteen largest by position; none where all are 0. */
  readonly largest: number;
  readonly gradient: Readonly<Record<string, number>>;
}

const folder = join(import.meta.dirname, 'recorded');
const { torch, activations }: { torch: string; activations: Record<string, Recorded> } = JSON.parse(
  readFileSync(join(folder, 'activations.json'), 'utf8'),
);
const cases = Object.entries(activations).flatMap(([name, recorded]) =>
  recorded.forms.map((form) => [name, form, recorded] as const),
);

const shape = [3, 16, 16];
const image = float32(
  [1, ...shape],
  Float32Array.from({ length: 768 }, (_, i) => Math.sin(0.37 * i) + Math.cos(0.11 * i * i) / 2),
);

async function explained(bytes: Uint8Array, spec: ExplainerSpec) {
  const explainer = await createExplainer(readClassifier(bytes, { inputShape: shape }), spec, cpu);
  const { attribution, targets } = await explainer.attribute(image, [-1]);
  await explainer.close();
  return { values: attribution.data as Float32Array, target: targets[0] };
}

describe(`the last activation, in every spelling, as PyTorch ${torch} recorded it in float64 (activations.py)`, () => {
  it.each(cases)('%s, %s', async (name, form, { target, cam, largest, gradient }) => {
    const bytes = gunzipSync(readFileSync(join(folder, 'activations', `${name}.${form}.onnx.gz`)));
    const map = await explained(bytes, { method: 'grad-cam', convention: 'captum' });
    expect(map.target).toBe(target);
    const scale = Math.max(...cam.map(Math.abs));
    expect(Math.max(...cam.map((v, i) => Math.abs(map.values[i]! - v) / scale))).toBeLessThan(1e-5);
    const saliency = await explained(bytes, { method: 'saliency', parameters: { abs: false } });
    const errors = Object.entries(gradient).map(([k, v]) => Math.abs(saliency.values[Number(k)]! - v));
    expect(Math.max(0, ...errors) / largest).toBeLessThan(1e-5);
  });
});
