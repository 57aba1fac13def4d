import { InputError } from '../../errors.ts';
import type { Expression } from '../../onnx/expression.ts';
import type { Node } from '../../onnx/graph.ts';
import { quoted } from '../../onnx/names.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';

/** What a rule sees: one node, and the cotangent of its output. */
export interface RuleContext {
  readonly node: Node;
  /** Which input the rule is asked for. */
  readonly index: number;
  /** Primal inputs and output. */
  x(i: number): Expression;
  readonly y: Expression;
  /** Output `k`, asked for if the node did not give it so far. */
  output(k: number): Expression;
  /** Cotangent of output `k` (0 unless said); `null` where nothing depends on that output. */
  readonly dy: Expression;
  dyOf(k: number): Expression | null;
}

/**
 * The vector-Jacobian product of one operator with respect to one input: the cotangent of that input, of its
 * shape or of any shape that broadcasting made of it (the walk sums it back).
 */
export type Vjp = (c: RuleContext) => Expression;

/**
 * One function per input, or one for every input. `null`: the derivative is zero wherever it exists; an input left
 * out has no rule, and the operator is refused when a gradient would have to pass there. Inputs that are not floats
 * need no entry.
 */
export type VjpRow = readonly (Vjp | null | undefined)[] | Vjp;
export type VjpRules = Readonly<Partial<Record<OperatorName, VjpRow>>>;

export const vjpOf = (rules: VjpRules, op: OperatorName, index: number): Vjp | null | undefined => {
  const row = rules[op];
  if (row === undefined) return undefined;
  return typeof row === 'function' ? row : row[index];
};

/** A row with one function in the place of all that it has. */
export const withVjp = (row: VjpRow, vjp: Vjp): VjpRow =>
  typeof row === 'function' ? vjp : row.map((own) => own && vjp);

/** dy · f'(x), from an expression for f' by x and y = f(x). */
export const times =
  (slope: (x: Expression, y: Expression, c: RuleContext) => Expression): Vjp =>
  (c) =>
    c.dy.mul(slope(c.x(0), c.y, c));

/** An input that a node can be without. */
export const given = ({ node, x }: RuleContext, i: number): Expression | undefined =>
  node.inputs[i] ? x(i) : undefined;

/** A length that a rule makes a table of. @throws InputError model_too_large */
export function tabled({ node }: RuleContext, entries: number): number {
  if (!(entries <= 2 ** 24))
    throw new InputError(
      'model_too_large',
      `node ${quoted(node.name)} (${node.op}): its derivative would need a table of ${entries} entries`,
    );
  return entries;
}
