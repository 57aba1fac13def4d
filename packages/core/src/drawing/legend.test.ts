import { expect, test } from 'vitest';
import { floatMap } from '../image/picture.ts';
import { legendOf } from './legend.ts';
import type { ScaledAttribution } from './scale.ts';

const scaled = (values: readonly number[], change: Partial<ScaledAttribution> = {}): ScaledAttribution => ({
  values: floatMap(values.length, 1, Float32Array.from(values)),
  ...{
    shown: 'both',
    unit: 'score',
    end: 2,
    endPercentile: 100,
    hiddenTo: 0,
    hiddenPercentile: 0,
    isMap: false,
  },
  ...change,
});
const texts = (...args: Parameters<typeof legendOf>) => legendOf(...args).ticks.map(({ text }) => text);

test('the ends of the colours have the values that lie there, and the words for and against', () => {
  expect(texts(scaled([-2, 1, 2]))).toEqual(['2 for', '0', '−2 against']);
  expect(texts(scaled([0, 1, 2], { shown: 'magnitude' }))).toEqual(['2', '1', '0']);
  expect(texts(scaled([-2, -1, 0], { shown: 'against' }))).toEqual(['0', '−1', '−2']);
});

test('an end says that values lie beyond it, at which percentile it lies, and of what it is', () => {
  const clipped = scaled([-1, 0, 7], { endPercentile: 99 });
  expect(texts(clipped)).toEqual(['> 2 for', '0', '−2 against']);
  expect(legendOf(clipped).notes).toEqual([
    'Unit: what each pixel adds to the score',
    'Strongest colour from percentile 99 of the magnitudes on',
  ]);
});

test('says what is hidden, and how much of the photo the network saw, in the language of the class names', () => {
  const hidden = scaled([0, 1, 2], { shown: 'for', unit: 'share', hiddenTo: 1, hiddenPercentile: 60 });
  expect(legendOf(hidden, { coverage: 0.06, contour: true }).notes).toEqual([
    'Unit: share of the largest value of this map',
    'Strongest colour: the largest magnitude',
    'Line: half of the strongest colour',
    'Hidden: the weakest 60 % of the values',
    'The model saw 6 % of this photo',
  ]);
  expect(legendOf(hidden, { language: 'zh', coverage: 0.06 }).notes.at(-1)).toBe(
    '模型只看到了这张照片的 6 %',
  );
  expect(legendOf(hidden, { coverage: 1 }).notes).toHaveLength(3);
  expect(texts(scaled([-2, 2]), { language: 'zh' })).toEqual(['2 支持', '0', '−2 反对']);
});
