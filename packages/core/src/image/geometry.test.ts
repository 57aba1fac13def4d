import { expect, it } from 'vitest';
import { centreCrop, resizedSize, roundHalfToEven } from './geometry.ts';

const square = { width: 224, height: 224 };

it('truncates the long side as torchvision does', () => {
  expect(resizedSize({ width: 1280, height: 853 }, 256)).toEqual({ width: 384, height: 256 });
  expect(resizedSize({ width: 853, height: 1280 }, 256)).toEqual({ width: 256, height: 384 });
  expect(resizedSize({ width: 300, height: 451 }, 224)).toEqual({ width: 224, height: 336 }); // of 336.7
  expect(resizedSize({ width: 300, height: 200 }, 255)).toEqual({ width: 382, height: 255 });
});

it('rounds the crop’s place half to even', () => {
  expect(roundHalfToEven(0.5)).toBe(0);
  expect(roundHalfToEven(1.5)).toBe(2);
  expect(roundHalfToEven(2.5)).toBe(2);
  expect(roundHalfToEven(79.5)).toBe(80);
  expect(centreCrop({ width: 383, height: 229 }, square)).toEqual({ x: 80, y: 2, width: 224, height: 224 });
  expect(centreCrop({ width: 385, height: 225 }, square)).toMatchObject({ x: 80, y: 0 });
});

it('starts before a picture that is smaller than the crop', () => {
  expect(centreCrop({ width: 219, height: 300 }, square)).toMatchObject({ x: -2, y: 38 });
});
