import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.ts';
import { sizeOf } from '../tensor.ts';
import { spansOf } from './basic-index.ts';

const shape = [4, 5, 6];

/** The sum of what is taken of 0, 1, 2, … in this shape. */
function sumTaken(index: string): number {
  const [a, b, c] = spansOf(index, shape, 'score').map(({ start, end, step }) =>
    Array.from({ length: Math.ceil((end - start) / step) }, (_, i) => start + i * step),
  ) as [number[], number[], number[]];
  let sum = 0;
  for (const i of a) for (const j of b) for (const k of c) sum += i * sizeOf(shape.slice(1)) + j * 6 + k;
  return sum;
}

function refusal(index: string): string {
  try {
    spansOf(index, shape, 'score "s"');
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error(`[${index}] is taken`);
}

describe('an index', () => {
  // np.sum(np.arange(120).reshape(4, 5, 6)[INDEX]), NumPy 2.5
  it.each([
    ['2', 2235],
    ['-1', 3135],
    [':', 7140],
    ['1:3', 3570],
    ['::2', 2670],
    ['::-2', 4470],
    ['3:0:-1', 6705],
    ['-3:-1', 3570],
    [':-1', 4005],
    ['2:10', 5370],
    ['-100:2', 1770],
    ['...', 7140],
    ['...,3', 1200],
    ['1,...', 1335],
    ['1,2,3', 45],
    ['0,1:4,::3', 81],
    ['...,-1,2:5', 864],
    [':,::-3', 3000],
    ['-1,-2,-3', 111],
    ['3::-3', 3570],
    ['1:100:2,5:0:-2', 1932],
  ])('[%s] takes what NumPy takes', (index, sum) => {
    expect(sumTaken(index)).toBe(sum);
  });

  it('that is empty takes all', () => {
    expect(sumTaken('')).toBe((119 * 120) / 2);
  });

  it.each([
    ['4', 'index 4 is out of range: expected -4 to 3 (axis 0 of [4, 5, 6]'],
    [':,-6', 'index -6 is out of range: expected -5 to 4 (axis 1 of [4, 5, 6]'],
    ['2:2', '"2:2" takes nothing of 4 elements'],
    ['10:', '"10:" takes nothing of 4 elements'],
    ['::0', 'the step of "::0" is 0'],
    ['None', '"None" adds an axis'],
    [':,newaxis', '"newaxis" adds an axis'],
    ['0,0,0,0', 'index [0,0,0,0] has 4 places, but the value has 3 axes beside the batch: [4, 5, 6]'],
    ['...,...', 'more than one ellipsis'],
    ['x', '"x" is no index; expected a number, a slice such as 10:20 or ::2, or ...'],
    ['0,', '"" is no index'],
    ['1.5', '"1.5" is no index'],
    ['1:2:3:4', '"1:2:3:4" is no index'],
    ['True', '"True" is no index'],
  ])('[%s] is refused with what was expected', (index, message) => {
    expect(refusal(index)).toContain(message);
    expect(refusal(index)).toMatch(/^score "s": /);
  });
});
