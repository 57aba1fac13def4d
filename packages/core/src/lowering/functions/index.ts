import type { OperatorName } from '../../onnx/operator-names.ts';
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
import { multipliedSigmoid, writtenSigmoid } from './sigmoid.ts';
import { turnedSoftmax, writtenLogSoftmax, writtenSoftmax } from './softmax.ts';
import { logSigmoid, softplus } from './softplus.ts';
import { softsign } from './softsign.ts';
import { swish } from './swish.ts';

/** A recogniser, and operators of which at least one must be among its last node's operands for a match. */
export interface Entry {
  readonly recogniser: Recogniser;
  readonly near: readonly OperatorName[] | null;
}

const near = (recogniser: Recogniser, ...operators: OperatorName[]): Entry => ({
  recogniser,
  near: operators,
});
const any = (...recognisers: Recogniser[]): Entry[] =>
  recognisers.map((recogniser) => ({ recogniser, near: null }));

const products = [
  near(swish, 'Sigmoid'),
  near(gelu, 'Erf'),
  near(tanhGelu, 'Tanh'),
  near(mish, 'Tanh'),
  near(hardSwish, 'HardSigmoid', 'Clip'),
  near(hardSigmoid, 'Clip'),
];
const sums = [
  near(softplus, 'Softplus'),
  near(logSigmoid, 'Softplus'),
  near(elu, 'Exp', 'Min', 'Elu'),
  near(leakyRelu, 'Relu', 'Max', 'Clip'),
];

/** The functions that exporters spell out, by the operator of their last node. */
export const recognisers: Readonly<Partial<Record<OperatorName, readonly Entry[]>>> = {
  Mul: [
    ...products,
    ...sums,
    ...any(standardized, rmsNorm, l2Norm, affine, softsign, writtenSoftmax, multipliedSigmoid),
  ],
  Div: [...products, ...any(standardized, rmsNorm, l2Norm, softsign, writtenSoftmax, writtenSigmoid)],
  Reciprocal: any(writtenSigmoid),
  Add: [...products, ...sums, ...any(affine, foldedNorm, prelu)],
  Sub: [...sums, ...any(prelu, writtenLogSoftmax)],
  Sum: sums,
  Neg: [near(logSigmoid, 'Softplus')],
  Log: any(softplus, logSigmoid, writtenLogSoftmax),
  Where: any(softplus, logSigmoid, elu, leakyRelu, prelu),
  Max: any(clip, relu, leakyRelu),
  Min: any(clip),
  Clip: any(hardSigmoid),
  Reshape: any(groupNorm),
  Transpose: any(turnedSoftmax),
};
