import { type Operators, other } from './operator.ts';
import { sameAsFirst } from './shape/elementwise.ts';
import { constantOfShapeShape, oneHotShape, rangeShape, shapeShape, sizeShape } from './shape/generation.ts';

// Operators that make tensors from shapes, counts or indices, or at random.

export const generation = {
  Shape: other({ since: 18, shape: shapeShape }),
  Size: other({ since: 18, shape: sizeShape }),
  ConstantOfShape: other({ since: 18, shape: constantOfShapeShape }),
  Range: other({ since: ({ attributes }) => ('stash_type' in attributes ? null : 18), shape: rangeShape }),
  OneHot: other({ since: 18, shape: oneHotShape }),
  EyeLike: other({ since: 18, shape: sameAsFirst }),
  RandomUniformLike: other({ since: 18, shape: sameAsFirst }),
  RandomNormalLike: other({ since: 18, shape: sameAsFirst }),
  Bernoulli: other({ since: 18, shape: sameAsFirst }),
} satisfies Operators;
