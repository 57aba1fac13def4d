import { float32, type Tensor } from '@whylight/core';

// The noise of the recorded SSCAM calls: a formula, since the array would be large.

const hash = (value: number): number => {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
};

/** N(0, 1) [samples, channels, 224, 224]; each sample has its own seed. */
export function formulaNoise(samples: number, channels: number): Tensor<'float32'> {
  const size = channels * 224 * 224;
  const values = new Float32Array(samples * size);
  for (let s = 0; s < samples; s++) {
    const key = Math.imul(s, 0x9e3779b9);
    for (let i = 0; i < size; i++) {
      const u1 = (hash(2 * i + key) + 0.5) / 2 ** 32;
      const u2 = (hash(2 * i + 1 + key) + 0.5) / 2 ** 32;
      values[s * size + i] = Math.sqrt(-2 * Math.log(u1)) * Math.cos(2 * Math.PI * u2);
    }
  }
  return float32([samples, channels, 224, 224], values);
}
