import { type Fact, followed, ShapeError, type ShapeInference } from '../onnx/fact.ts';
import type { Node } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { sizeOf } from '../tensor.ts';
import { type ShapeContext, Unknown } from './shape/rule.ts';
import { operators } from './table.ts';

/** The most dimensions of a value in any runtime. */
const deepest = 32;

export const shapeInference: ShapeInference = {
  knows: (op) => operators[op].shape !== null,
  infer(node, known) {
    try {
      return operators[node.op].shape!(contextOf(node, known)).map(checked);
    } catch (error) {
      if (error instanceof Unknown) return [];
      if (error instanceof TypeError || error instanceof RangeError)
        throw new ShapeError(`node ${quoted(node.name)}: inputs or attributes that ${node.op} does not have`);
      if (error instanceof ShapeError)
        throw new ShapeError(`node ${quoted(node.name)} (${node.op}): ${error.message}`);
      throw error;
    }
  },
};

function contextOf(node: Node, known: (value: string) => Fact | undefined): ShapeContext {
  const fact = (i: number): Fact => {
    const input = node.inputs[i];
    if (!input) throw new ShapeError(`input ${i} is missing`);
    const found = known(input);
    if (!found) throw new Unknown();
    return found;
  };
  return {
    node,
    count: node.inputs.length,
    x: fact,
    has: (i) => (node.inputs[i] ?? '') !== '',
    value(i) {
      const { value } = fact(i);
      if (!value) throw new Unknown();
      return value;
    },
  };
}

/** Checks that a fact's sizes are whole numbers, and drops elements that are too many to follow. */
function checked(fact: Fact): Fact {
  const { dtype, shape, value } = fact;
  if (shape.length > deepest) throw new ShapeError(`a result of ${shape.length} dimensions`);
  const size = sizeOf(shape);
  if (!shape.every((d) => d >= 0 && Number.isSafeInteger(d)) || !Number.isSafeInteger(size))
    throw new ShapeError(`a result of shape [${shape}]`);
  return value && (size > followed || value.length !== size) ? { dtype, shape } : fact;
}
