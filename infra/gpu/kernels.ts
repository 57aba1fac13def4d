/**
 * Which nodes ONNX Runtime's CUDA provider runs itself, from its own list of kernels (docs/OperatorKernels.md, as it was
 * for opset 25) and the versions of the ONNX operators. A node without a kernel runs on the CPU, and its values are copied
 * there and back. A kernel without an end is for the operator as it was at that version: once a later opset changes the
 * operator, even by a type, a node of that opset no longer finds it.
 *
 * A line: operator, its versions from that of opset 17 on, kernels for float32 (for int64 or bool if it has
 * no float32).
 */
const table = `
Abs 13 13+
Add 14 14+
And 7 7+
ArgMax 13 13+
ArgMin 13 13+
Attention 23,24 23 24+
AveragePool 11,19,22 11-18 19-21 22+
BatchNormalization 15 15+
Cast 13,19,21,23,24 13-18 19-20 21-22 23+
Ceil 13 13+
Clip 13 13+
Concat 13 13+
ConstantOfShape 9,20,21,23,24 9+
Conv 11,22 11-21 22+
ConvTranspose 11,22 11+
Cos 7,22 7+
CumSum 14 14+
DepthToSpace 13 13+
DequantizeLinear 13,19,21,23,24 13-18 19-20 21+
Div 14 14+
Dropout 13,22 13+
Einsum 12 12+
Elu 6,22 6+
Equal 13,19 13+
Erf 13 13+
Exp 13 13+
Expand 13 13+
EyeLike 9,22 9+
Flatten 13,21,23,24 13+
Floor 13 13+
Gather 13 13+
GatherElements 13 13+
GatherND 13 13+
Gelu 20 20+
Gemm 13 13+
GlobalAveragePool 1,22 1+
GlobalMaxPool 1,22 1+
Greater 13 13+
GreaterOrEqual 16 16+
HardSigmoid 6,22 6-21 22+
HardSwish 14,22 14-21 22+
Identity 16,19,21,23,24 14-18 19+
InstanceNormalization 6,22 6+
IsInf 10,20 10-19 20+
IsNaN 13,20 13-19 20+
LRN 13 13+
LayerNormalization 17 17+
LeakyRelu 16 16+
Less 13 13+
LessOrEqual 16 16+
Log 13 13+
LogSoftmax 13 13+
MatMul 13 13+
Max 13 13+
MaxPool 12,22 12+
Min 13 13+
Mod 13 13+
Mul 14 14+
Neg 13 13+
NonZero 13 13+
Not 1 1+
OneHot 11 11+
Or 7 7+
PRelu 16 16+
Pad 13,18,19,21,23,24 13-17 18+
Pow 15 15+
QuantizeLinear 13,19,21,23,24 13-18 19-20 21+
RMSNormalization 23 23+
Range 11 11+
Reciprocal 13 13+
ReduceL1 13,18 1-17 18+
ReduceL2 13,18 1-17 18+
ReduceLogSum 13,18 1-17 18+
ReduceLogSumExp 13,18 1-17 18+
ReduceMax 13,18,20 1-17 18+
ReduceMean 13,18 1-17 18+
ReduceMin 13,18,20 1-17 18+
ReduceProd 13,18 1-17 18+
ReduceSum 13 13+
ReduceSumSquare 13,18 1-17 18+
Relu 14 14+
Reshape 14,19,21,23,24 14-18 19-20 21-22 23+
Resize 13,18,19 13-17 18 19+
Round 11,22 11+
Scan 16,19,21,23,24 16-18 19+
ScatterElements 16,18 16-17 18+
ScatterND 16,18 16-17 18+
Selu 6,22 6+
Shape 15,19,21,23,24 15-18 19-20 21-22 23+
Shrink 9 9+
Sigmoid 13 13+
Sign 13 13+
Sin 7,22 7+
Size 13,19,21,23,24 13+
Slice 13 13+
Softmax 13 13+
Softplus 1,22 1+
Softsign 1,22 1+
SpaceToDepth 13 13+
Split 13,18 13-17 18+
Sqrt 13 13+
Squeeze 13,21,23,24 13-20 21-22 23+
Sub 14 14+
Sum 13 13+
Tanh 13 13+
ThresholdedRelu 10,22 10+
Tile 13 13+
TopK 11,24 11+
Transpose 13,21,23,24 13-20 21-22 23+
Trilu 14 14+
Unsqueeze 13,21,23,24 13-20 21-22 23+
Where 16 16+
Xor 7 7+
`;

interface Kernels {
  /** Opsets that changed the operator. */
  readonly versions: readonly number[];
  /** First and last version that a kernel takes; the last is absent if the range is open. */
  readonly kernels: readonly { readonly first: number; readonly last: number | undefined }[];
}

const cuda: ReadonlyMap<string, Kernels> = new Map(
  table
    .trim()
    .split('\n')
    .map((line) => {
      const [op, versions, ...kernels] = line.split(' ') as [string, string, ...string[]];
      return [op, { versions: versions.split(',').map(Number), kernels: kernels.map(kernelOf) }];
    }),
);

function kernelOf(text: string) {
  const [first, last] = text.replace('+', '').split('-').map(Number) as [number, number | undefined];
  return { first, last: text.endsWith('+') ? undefined : (last ?? first) };
}

/** Whether the CUDA provider has a kernel for a node of this operator at this opset, 17 or later. */
export function onCuda(op: string, opset: number): boolean {
  const { versions = [], kernels = [] } = cuda.get(op) ?? {};
  const version = versions.filter((v) => v <= opset).at(-1);
  if (version === undefined) return false;
  return kernels.some(({ first, last }) =>
    last === undefined ? first === version : first <= version && version <= last,
  );
}

/** The operators that it has kernels for at some opset. */
export const cudaOperators: readonly string[] = [...cuda.keys()];
