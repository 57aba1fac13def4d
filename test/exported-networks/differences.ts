import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readNpy } from '@whylight/core';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { Case } from './case.ts';

// Compares a gradient with central differences of the original file, optimised or quantized, as ONNX Runtime runs it.

const require = createRequire(join(import.meta.dirname, '../../packages/host/package.json'));

const norm = (v: Float64Array) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Makes the directions of the differences: the gradient itself, halves of it, and a smooth wave. */
function directions(gradient: Float64Array): Float64Array[] {
  const wave = gradient.map((_, i) => Math.sin(i * 0.0123) + Math.sin(i * 12.9898));
  const halves = [0, 1].map((half) => gradient.map((value, i) => ((i >> 6) % 2 === half ? value : 0)));
  return [gradient, ...halves, wave].map((direction) => {
    const length = norm(direction);
    return direction.map((value) => value / length);
  });
}

/** Says why `gradient` is not that of the case's score; empty if it is. */
export async function differencesAgree(
  gradient: Float64Array,
  directory: string,
  { file, output, target, scores, tolerance }: Case,
): Promise<string> {
  const ort: typeof import('onnxruntime-node') = require('onnxruntime-node');
  const image = readNpy(readFileSync(join(directory, 'x.npy')));
  const x = Float64Array.from(image.data as Float32Array);
  if (gradient.length !== x.length) return `${gradient.length} values for ${x.length}`;
  if (!(norm(gradient) > 0)) return 'the gradient is zero';
  const session: InferenceSession = await ort.InferenceSession.create(join(directory, scores?.file ?? file), {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
  const name = scores?.output ?? output ?? session.outputNames[0]!;
  const score = async (data: Float64Array) => {
    const tensor: OrtTensor = new ort.Tensor('float32', Float32Array.from(data), [...image.shape]);
    const values = (await session.run({ [session.inputNames[0]!]: tensor }))[name]!.data;
    return Number((values as Float32Array)[target]);
  };
  const whole = norm(gradient);
  for (const [k, direction] of directions(gradient).entries()) {
    const said = dot(gradient, direction);
    const errors: number[] = [];
    // A step over a kink or below float32's precision shows nothing, so one of three must agree.
    for (const step of [0.1, 0.02, 0.004]) {
      const move = (sign: number) => x.map((value, i) => value + sign * step * direction[i]!);
      const found = ((await score(move(1))) - (await score(move(-1)))) / (2 * step);
      errors.push(Math.abs(found - said) / whole);
    }
    const error = Math.min(...errors);
    if (!(error <= (tolerance ?? 0.02)))
      return `along direction ${k} differences are off by ${error.toFixed(3)} of the gradient`;
  }
  return '';
}
