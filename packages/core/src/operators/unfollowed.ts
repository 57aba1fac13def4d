import { type MicrosoftOperator, microsoftOperators } from '../onnx/operator-names.ts';
import { type Operator, type Operators, other } from './operator.ts';

// Operators that are read but have no rules: no shape, no derivative.

export const unfollowed = {
  // Reading replaces these by other operators, or refuses them.
  Attention: other(),
  Constant: other(),
  Scatter: other(),
  // Control flow, sequences and texts.
  If: other(),
  Loop: other(),
  Scan: other(),
  ConcatFromSequence: other(),
  Optional: other(),
  OptionalGetElement: other(),
  OptionalHasElement: other(),
  SequenceAt: other(),
  SequenceConstruct: other(),
  SequenceEmpty: other(),
  SequenceErase: other(),
  SequenceInsert: other(),
  SequenceLength: other(),
  SequenceMap: other(),
  SplitToSequence: other(),
  RegexFullMatch: other(),
  StringConcat: other(),
  StringNormalizer: other(),
  StringSplit: other(),
  TfIdfVectorizer: other(),
  ImageDecoder: other(),
  // Random numbers, and tables that need no input.
  Multinomial: other(),
  RandomNormal: other(),
  RandomUniform: other(),
  BlackmanWindow: other(),
  HammingWindow: other(),
  HannWindow: other(),
  MelWeightMatrix: other(),
  // Operators of no classifier that we know.
  BitCast: other(),
  CausalConvWithState: other(),
  DFT: other(),
  DeformConv: other(),
  Det: other(),
  LinearAttention: other(),
  NegativeLogLikelihoodLoss: other(),
  NonMaxSuppression: other(),
  NonZero: other(),
  RotaryEmbedding: other(),
  STFT: other(),
  SoftmaxCrossEntropyLoss: other(),
  SwiGLU: other(),
  TensorScatter: other(),
  Unique: other(),
} satisfies Operators;

/** Operators that `lowering/microsoft` replaces by others. */
export const microsoft = Object.fromEntries(microsoftOperators.map((op) => [op, other()])) as Record<
  MicrosoftOperator,
  Operator
>;
