import { activation } from '../activation.ts';
import { arithmetic } from '../arithmetic.ts';
import { trigonometry } from '../trigonometry.ts';
import { convolution } from './convolution.ts';
import { indexing } from './indexing.ts';
import { linear } from './linear.ts';
import { movement } from './movement.ts';
import { normalization } from './normalization.ts';
import { pooling } from './pooling.ts';
import { quantization } from './quantization.ts';
import { reduction } from './reduction.ts';
import { resize } from './resize.ts';
import type { VjpRules } from './rule.ts';

/** The derivative of every operator that has one: the gradient proper. */
export const gradientRules: VjpRules = {
  ...arithmetic,
  ...activation,
  ...trigonometry,
  ...linear,
  ...convolution,
  ...pooling,
  ...normalization,
  ...reduction,
  ...movement,
  ...indexing,
  ...resize,
  ...quantization,
};
