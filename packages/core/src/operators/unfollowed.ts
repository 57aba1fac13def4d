import { type MicrosoftOperator, microsoftOperators } from '../onnx/operator-names.ts';
import { type Operator, type Operators, other } from './operator.ts';

// Operators that are read, and of which nothing more is known: no shape, no derivative.

export const unfollowed = {
  // Read into other operators, or refused.
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
  // Chance, and tables that need no input.
  Multinomial: other(),
  RandomNormal: other(),
  RandomUniform: other(),
  BlackmanWindow: other(),
  HammingWindow: other(),
  HannWindow: other(),
  MelWeightMatrix: other(),
  // What no classifier that we know has.
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

/** `lowering/microsoft` says them in other operators. */
export const microsoft = Object.fromEntries(microsoftOperators.map((op) => [op, other()])) as Record<
  MicrosoftOperator,
  Operator
>;
