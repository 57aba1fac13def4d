/** Every operator that ONNX's standard domain has or had, up to opset 28. */
// biome-ignore format: one name a line would be two hundred lines
export const standardOperators = [
  'Abs', 'Acos', 'Acosh', 'Add', 'AffineGrid', 'And', 'ArgMax', 'ArgMin', 'Asin', 'Asinh', 'Atan', 'Atanh',
  'Attention', 'AveragePool', 'BatchNormalization', 'Bernoulli', 'BitCast', 'BitShift', 'BitwiseAnd',
  'BitwiseNot', 'BitwiseOr', 'BitwiseXor', 'BlackmanWindow', 'Cast', 'CastLike', 'CausalConvWithState',
  'Ceil', 'Celu', 'CenterCropPad', 'Clip', 'Col2Im', 'Compress', 'Concat', 'ConcatFromSequence',
  'Constant', 'ConstantOfShape', 'Conv', 'ConvInteger', 'ConvTranspose', 'Cos', 'Cosh', 'CumProd',
  'CumSum', 'DFT', 'DeformConv', 'DepthToSpace', 'DequantizeLinear', 'Det', 'Div', 'Dropout',
  'DynamicQuantizeLinear', 'Einsum', 'Elu', 'Equal', 'Erf', 'Exp', 'Expand', 'EyeLike', 'Flatten', 'Floor',
  'GRU', 'Gather', 'GatherElements', 'GatherND', 'Gelu', 'Gemm', 'GlobalAveragePool', 'GlobalLpPool',
  'GlobalMaxPool', 'Greater', 'GreaterOrEqual', 'GridSample', 'GroupNormalization', 'HammingWindow',
  'HannWindow', 'HardSigmoid', 'HardSwish', 'Hardmax', 'Identity', 'If', 'ImageDecoder',
  'InstanceNormalization', 'IsInf', 'IsNaN', 'LRN', 'LSTM', 'LayerNormalization', 'LeakyRelu', 'Less',
  'LessOrEqual', 'LinearAttention', 'Log', 'LogSoftmax', 'Loop', 'LpNormalization', 'LpPool', 'MatMul',
  'MatMulInteger', 'Max', 'MaxPool', 'MaxRoiPool', 'MaxUnpool', 'Mean', 'MeanVarianceNormalization',
  'MelWeightMatrix', 'Min', 'Mish', 'Mod', 'Mul', 'Multinomial', 'Neg', 'NegativeLogLikelihoodLoss',
  'NonMaxSuppression', 'NonZero', 'Not', 'OneHot', 'Optional', 'OptionalGetElement', 'OptionalHasElement',
  'Or', 'PRelu', 'Pad', 'Pow', 'QLinearConv', 'QLinearMatMul', 'QuantizeLinear', 'RMSNormalization', 'RNN',
  'RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Range', 'Reciprocal',
  'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin',
  'ReduceProd', 'ReduceSum', 'ReduceSumSquare', 'RegexFullMatch', 'Relu', 'Reshape', 'Resize',
  'ReverseSequence', 'RoiAlign', 'RotaryEmbedding', 'Round', 'STFT', 'Scan', 'Scatter', 'ScatterElements',
  'ScatterND', 'Selu', 'SequenceAt', 'SequenceConstruct', 'SequenceEmpty', 'SequenceErase',
  'SequenceInsert', 'SequenceLength', 'SequenceMap', 'Shape', 'Shrink', 'Sigmoid', 'Sign', 'Sin', 'Sinh',
  'Size', 'Slice', 'Softmax', 'SoftmaxCrossEntropyLoss', 'Softplus', 'Softsign', 'SpaceToDepth', 'Split',
  'SplitToSequence', 'Sqrt', 'Squeeze', 'StringConcat', 'StringNormalizer', 'StringSplit', 'Sub', 'Sum',
  'SwiGLU', 'Swish', 'Tan', 'Tanh', 'TensorScatter', 'TfIdfVectorizer', 'ThresholdedRelu', 'Tile', 'TopK',
  'Transpose', 'Trilu', 'Unique', 'Unsqueeze', 'Upsample', 'Where', 'Xor',
] as const;

/** Functions that ONNX has no operator for; a file spells them out. */
export const spelledFunctions = ['L2Normalization', 'LayerNorm2d', 'LogSigmoid'] as const;

/** Operators of ONNX Runtime's own domain that only `lowering/microsoft` sees: it writes them in standard operators. */
export const microsoftOperators = [
  'com.microsoft.Attention',
  'com.microsoft.BiasGelu',
  'com.microsoft.BiasSoftmax',
  'com.microsoft.DequantizeLinear',
  'com.microsoft.DynamicQuantizeMatMul',
  'com.microsoft.FastGelu',
  'com.microsoft.FusedConv',
  'com.microsoft.FusedGemm',
  'com.microsoft.FusedMatMul',
  'com.microsoft.Gelu',
  'com.microsoft.GridSample',
  'com.microsoft.LayerNormalization',
  'com.microsoft.MatMulIntegerToFloat',
  'com.microsoft.MultiHeadAttention',
  'com.microsoft.NhwcMaxPool',
  'com.microsoft.QAttention',
  'com.microsoft.QGemm',
  'com.microsoft.QLinearAdd',
  'com.microsoft.QLinearAveragePool',
  'com.microsoft.QLinearConcat',
  'com.microsoft.QLinearConv',
  'com.microsoft.QLinearGlobalAveragePool',
  'com.microsoft.QLinearLeakyRelu',
  'com.microsoft.QLinearMul',
  'com.microsoft.QLinearSigmoid',
  'com.microsoft.QLinearSoftmax',
  'com.microsoft.QuantizeLinear',
  'com.microsoft.QuickGelu',
  'com.microsoft.SimplifiedLayerNormalization',
  'com.microsoft.SkipLayerNormalization',
  'com.microsoft.SkipSimplifiedLayerNormalization',
  'com.microsoft.TransposeMatMul',
  'com.microsoft.Trilu',
] as const;

export type MicrosoftOperator = (typeof microsoftOperators)[number];
export type OperatorName =
  | (typeof standardOperators)[number]
  | (typeof spelledFunctions)[number]
  | MicrosoftOperator;

const [standard, microsoft]: readonly ReadonlySet<string>[] = [
  new Set<string>(standardOperators),
  new Set<string>(microsoftOperators),
];

/** Tells whether ONNX has an operator of this name. */
export const isStandardOperator = (name: string): name is OperatorName => standard!.has(name);

/** Names that only ONNX Runtime has in ONNX's domain, and the operators that do the same. */
const misplaced: ReadonlyMap<string, OperatorName> = new Map([
  ['SimplifiedLayerNormalization', 'com.microsoft.SimplifiedLayerNormalization'],
  ['MemcpyFromHost', 'Identity'],
  ['MemcpyToHost', 'Identity'],
]);

/** Finds the operator of a file's node, if it is supported. */
export function operatorOf(domain: string, type: string): OperatorName | undefined {
  if (domain === '' || domain === 'ai.onnx')
    return misplaced.get(type) ?? (isStandardOperator(type) ? type : undefined);
  const name = `${domain}.${type}`;
  return domain === 'com.microsoft' && microsoft!.has(name) ? (name as OperatorName) : undefined;
}
