import { describe, expect, it } from 'vitest';
import { normals, permutation, uniform } from './random.ts';

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

describe('Random numbers', () => {
  it('depend on seed and counter alone', () => {
    expect(uniform(1, 7)).toBe(uniform(1, 7));
    expect(uniform(1, 7)).not.toBe(uniform(2, 7));
    expect([...normals(3, 10)]).toEqual([...normals(3, 20)].slice(0, 10));
    expect([...normals(3, 5, 7)]).toEqual([...normals(3, 12)].slice(7));
    expect([...normals(3, 6, 4)]).toEqual([...normals(3, 10)].slice(4));
  });

  it('lie between 0 and 1, half a step from either: a logarithm is always finite', () => {
    // Counters whose 32 bits are all zeros or all ones, found by running the hash backwards.
    expect(uniform(0, 0x85ebca6b)).toBe(2 ** -33);
    expect(uniform(0, 0x3e40e0dd)).toBe(1 - 2 ** -33);
    const [farthest] = normals(1, 1, 0x24234424);
    expect(farthest).toBeCloseTo(
      Math.sqrt(66 * Math.LN2) * Math.cos(2 * Math.PI * uniform(1, 0x24234425)),
      5,
    );
  });

  it('are uniform: mean, variance, neighbours and bits', () => {
    const values = Array.from({ length: 20_000 }, (_, k) => uniform(5, k));
    expect(mean(values)).toBeCloseTo(0.5, 2);
    expect(mean(values.map((v) => (v - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
    expect(Math.abs(mean(values.slice(1).map((v, i) => (v - 0.5) * (values[i]! - 0.5))))).toBeLessThan(0.002);
    for (let bit = 1; bit <= 16; bit++)
      expect(
        Math.abs(mean(values.map((v) => Math.floor(v * 2 ** bit) % 2)) - 0.5),
        `bit ${bit}`,
      ).toBeLessThan(0.015);
  });

  it('differ between neighbouring seeds', () => {
    const [a, b] = [0, 1].map((seed) => Array.from({ length: 5000 }, (_, k) => uniform(seed, k) - 0.5)) as [
      number[],
      number[],
    ];
    expect(Math.abs(mean(a.map((v, i) => v * b[i]!)))).toBeLessThan(0.004);
  });

  it('are normal: mean, variance and tails', () => {
    const values = normals(9, 20_000);
    expect(Math.abs(mean(values))).toBeLessThan(0.02);
    expect(mean(values.map((v) => v * v))).toBeCloseTo(1, 1);
    expect(mean(values.map((v) => Number(Math.abs(v) > 1.96)))).toBeCloseTo(0.05, 2);
  });

  it('order things fairly', () => {
    const firsts = Array.from({ length: 6000 }, (_, k) => permutation(4, k, 5)[0]!);
    for (let i = 0; i < 5; i++) expect(mean(firsts.map((f) => Number(f === i)))).toBeCloseTo(0.2, 1);
    expect(permutation(4, 0, 50).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});
