/** Bit mixer of a 32-bit integer (the finaliser of MurmurHash3): integers only, so the same on every runtime. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Computes a number in [0, 1) from nothing but the key and two counters. */
export function hash(key: number, x: number, y: number): number {
  return mix(mix(mix(x + 0x9e3779b9) ^ key) + Math.imul(y, 0x27d4eb2f)) / 0x1_0000_0000;
}

/** A stream of random choices that a seed fixes. */
export class Random {
  readonly #key: number;
  #count = 0;

  constructor(seed: number) {
    this.#key = mix(seed ^ 0x5bd1e995);
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * hash(this.#key, this.#count++, 0);
  }

  /** A whole number in [low, high], both included. */
  integer(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.integer(0, choices.length - 1)] ?? choices[0];
  }

  /** A key for `hash`, when a texture needs a number per pixel. */
  key(): number {
    return Math.floor(this.between(0, 0x1_0000_0000)) | 0;
  }

  /** A direction, uniform on the circle: by rejection, since sines may differ between runtimes. */
  direction(): [x: number, y: number] {
    for (;;) {
      const x = this.between(-1, 1);
      const y = this.between(-1, 1);
      const square = x * x + y * y;
      if (square > 0.01 && square <= 1) return [x / Math.sqrt(square), y / Math.sqrt(square)];
    }
  }
}
