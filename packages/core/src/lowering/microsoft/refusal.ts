import { InputError } from '../../errors.ts';
import type { Node } from '../../onnx/graph.ts';
import { quoted } from '../../onnx/names.ts';

/** Refuses an unsupported use of a supported operator, and says how to get the model without it. */
export const unsupported = (node: Node, what: string): InputError =>
  new InputError(
    'model_unsupported_op',
    `node ${quoted(node.name)} (${node.op}) has ${what}, which is not supported; take the model as it was before ONNX Runtime or optimum optimised it`,
  );
