import { InputError } from '../errors.ts';
import { quoted } from './names.ts';

// The tool that wrote an unsupported operator tells how to get the model without it.

/** At its highest optimisation level ONNX Runtime writes operators for the processor on which it ran. */
const extended =
  'ONNX Runtime wrote it for one kind of processor; save the model with session_options.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_EXTENDED, or take the file that was optimised';
const plain =
  'take the model as it was before ONNX Runtime or optimum optimised it, or optimise it again with "optimum-cli export onnx --optimize O1" or GraphOptimizationLevel.ORT_ENABLE_BASIC';
const fullWidth =
  'take the model as it was before its weights were quantized to 4 bits (export it without MatMulNBitsQuantizer or "--quantize"), or quantize it to 8 bits';

const remedies: readonly (readonly [pattern: RegExp, remedy: string])[] = [
  [/^com\.microsoft\.nchwc\./, extended],
  [/^com\.ms\.internal\.nhwc\./, extended],
  [/^com\.microsoft\.(MatMulNBits|MatMulBnb4|MatMulFpQ4|GatherBlockQuantized|DequantizeBFP|QMoE)/, fullWidth],
  [/^com\.microsoft\./, plain],
  [
    /^(ai\.onnx\.contrib|com\.microsoft\.extensions)\./,
    'it belongs to onnxruntime-extensions; export the model without its pre- and postprocessing',
  ],
  [/^(org\.pytorch\.|aten\.|prim\.)/, 'export the model again with torch.onnx.export(..., dynamo=True)'],
];

/** Says why a node of another domain than ONNX's is not read, and how to get the model without it. */
export function foreignOperator(node: string, domain: string, type: string): InputError {
  const name = `${domain}.${type}`;
  const remedy = remedies.find(([pattern]) => pattern.test(name))?.[1];
  return new InputError(
    'model_unsupported_op',
    `node ${quoted(node)} is ${quoted(name)}: only operators of the standard ONNX domain are supported${remedy ? `; ${remedy}` : ''}`,
  );
}
