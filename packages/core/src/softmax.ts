/** Computes exp(zᵢ) / Σ exp(z) without overflow. */
export function softmax(logits: Float32Array): Float32Array {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Float64Array.from(logits, (z) => Math.exp(z - highest));
  const total = powers.reduce((a, b) => a + b, 0);
  return Float32Array.from(powers, (p) => p / total);
}
