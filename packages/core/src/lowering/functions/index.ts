import { clip, relu } from './clip.ts';
import { elu } from './elu.ts';
import { gelu, tanhGelu } from './gelu.ts';
import { groupNorm } from './group-norm.ts';
import { hardSigmoid, hardSwish } from './hard-sigmoid.ts';
import { l2Norm } from './l2-norm.ts';
import { affine, foldedNorm, rmsNorm, standardized } from './layer-norm.ts';
import { leakyRelu, prelu } from './leaky-relu.ts';
import { mish } from './mish.ts';
import type { Recogniser } from './recogniser.ts';
import { turnedSoftmax } from './softmax.ts';
import { logSigmoid, softplus } from './softplus.ts';
import { softsign } from './softsign.ts';
import { swish } from './swish.ts';

/** Products that a factor or a sum may still follow. */
const products = [swish, gelu, tanhGelu, mish, hardSwish, hardSigmoid];

/** By the operator of their last node, the functions that exporters spell out. */
export const recognisers: Readonly<Record<string, readonly Recogniser[]>> = {
  Mul: [...products, standardized, rmsNorm, l2Norm, affine, softsign, logSigmoid, elu, leakyRelu],
  Div: [...products, standardized, rmsNorm, l2Norm, softsign],
  Add: [...products, affine, foldedNorm, softplus, logSigmoid, elu, leakyRelu, prelu],
  Sub: [logSigmoid, softplus, elu, leakyRelu, prelu],
  Sum: [softplus, elu, leakyRelu],
  Neg: [logSigmoid],
  Log: [softplus, logSigmoid],
  Where: [softplus, logSigmoid, elu, leakyRelu, prelu],
  Max: [clip, relu, leakyRelu],
  Min: [clip],
  Clip: [hardSigmoid],
  Reshape: [groupNorm],
  Transpose: [turnedSoftmax],
};
