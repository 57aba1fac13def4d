import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import type { ShapeRules } from './fact.ts';
import { movement } from './movement.ts';
import { recurrent } from './recurrent.ts';
import { reduction } from './reduction.ts';
import { slicing } from './slicing.ts';

/** What every known operator does to shapes. */
export const shapeRules: ShapeRules = {
  ...elementwise,
  ...convolution,
  ...reduction,
  ...movement,
  ...recurrent,
  ...slicing,
};
