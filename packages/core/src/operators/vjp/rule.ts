import { InputError } from '../../errors.ts';
import type { Expression } from '../../onnx/expression.ts';
import type { Node } from '../../onnx/graph.ts';
import { quoted } from '../../onnx/names.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';

/** The arguments of a rule: one node, and the cotangent of its output. */
export interface RuleContext {
  readonly node: Node;
  /** The index of the input whose cotangent is wanted. */
  readonly index: number;
  /** Primal inputs and output of the node. */
  x(i: number): Expression;
  readonly y: Expression;
  /** Returns output `k`, and adds it if the node did not give it so far. */
  output(k: number): Expression;
  /** The cotangent of output `k` (0 by default); `null` if nothing depends on that output. */
  readonly dy: Expression;
  dyOf(k: number): Expression | null;
}

/**
 * The vector-Jacobian product of one operator with respect to one input. It gives that input's cotangent, in its shape
 * or in any shape to which broadcasting expanded it (the walk sums it back).
 */
export type Vjp = (c: RuleContext) => Expression;

/**
 * One function per input, or one for every input. `null`: the derivative is zero wherever it exists. An input left
 * out has no rule, and the operator is refused if a gradient would have to pass there. Inputs that are not floats
 * need no entry.
 */
export type VjpRow = readonly (Vjp | null | undefined)[] | Vjp;
export type VjpRules = Readonly<Partial<Record<OperatorName, VjpRow>>>;

export const vjpOf = (rules: VjpRules, op: OperatorName, index: number): Vjp | null | undefined => {
  const row = rules[op];
  if (row === undefined) return undefined;
  return typeof row === 'function' ? row : row[index];
};

/** Replaces every function of a row by one function. */
export const withVjp = (row: VjpRow, vjp: Vjp): VjpRow =>
  typeof row === 'function' ? vjp : row.map((own) => own && vjp);

/** Makes the rule dy · f'(x) from an expression for f' in x and y = f(x). */
export const times =
  (slope: (x: Expression, y: Expression, c: RuleContext) => Expression): Vjp =>
  (c) =>
    c.dy.mul(slope(c.x(0), c.y, c));

/** Returns an optional input, if the node has it. */
export const given = ({ node, x }: RuleContext, i: number): Expression | undefined =>
  node.inputs[i] ? x(i) : undefined;

/** Checks the number of entries of a rule's table. @throws InputError model_too_large */
export function tabled({ node }: RuleContext, entries: number): number {
  if (!(entries <= 2 ** 24))
    throw new InputError(
      'model_too_large',
      `node ${quoted(node.name)} (${node.op}): its derivative would need a table of ${entries} entries`,
    );
  return entries;
}
