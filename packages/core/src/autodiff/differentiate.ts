import { InputError } from '../errors.ts';
import type { GraphBuilder, Shape, Value } from '../onnx/builder.ts';
import { Expression, sumOf } from '../onnx/expression.ts';
import type { Node } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { type RuleContext, type Vjp, type VjpRules, vjpOf } from '../operators/vjp/rule.ts';
import { getOwn } from '../own.ts';
import type { Composites, Composition } from './composition.ts';
import { between, type Path, refuseUnsupported } from './path.ts';

/**
 * Reverse-mode differentiation as a graph rewrite: appends the nodes that compute, for each of `wanted`,
 *
 *     ∂/∂v Σ ⟨seed, y⟩   over the pairs (y, seed) of `seeds`
 *
 * Only the nodes between `wanted` and the seeds are differentiated; broadcasting is undone and cotangents are
 * added up here and nowhere else. A function of several operators has the derivative that `composites` has for it, if
 * no value inside it is wanted or used elsewhere.
 *
 * @returns the cotangent of each wanted value, in order; no zeros are made: `null` if no seeded value depends on it
 * @throws InputError model_unsupported_op naming every operator on the path that has no rule
 */
export function differentiate(
  g: GraphBuilder,
  seeds: ReadonlyMap<Value, Value>,
  wanted: readonly Value[],
  rules: VjpRules,
  composites: Composites = {},
): (Value | null)[] {
  const path = between(g, wanted, seeds.keys());
  refuseUnsupported(path, rules);
  const cotangents: Cotangents = new Map(
    [...seeds].map(([y, seed]) => [y, [new Expression(g, seed)]] as const),
  );
  const spelled = spelledOut(g, path, composites, new Set([...wanted, ...seeds.keys()]));
  for (const node of path.nodes.toReversed()) {
    const composition = spelled.get(node);
    if (composition) pullBackWhole(g, node, composition, path, cotangents);
    else pullBack(g, node, path, cotangents, rules);
  }
  return wanted.map((value) => total(cotangents, value)?.name ?? null);
}

/** The cotangents that have arrived at each value so far. */
type Cotangents = Map<Value, [Expression, ...Expression[]]>;

function pullBack(g: GraphBuilder, node: Node, path: Path, cotangents: Cotangents, rules: VjpRules): void {
  const dys = node.outputs.map((output) => total(cotangents, output));
  if (dys.every((dy) => dy === null)) return;
  g.within(`${node.name}/grad`, () => {
    node.inputs.forEach((input, index) => {
      if (!path.moving.has(input)) return;
      const vjp = vjpOf(rules, node.op, index);
      if (!vjp) return;
      arrive(cotangents, input, cotangent(contextOf(g, node, index, dys), vjp));
    });
  });
}

/** Finds functions of several operators on the path whose inner values are used nowhere else, by their last nodes. */
function spelledOut(
  g: GraphBuilder,
  path: Path,
  composites: Composites,
  seen: ReadonlySet<Value>,
): Map<Node, Composition> {
  const users = new Map<Value, Node[]>();
  for (const node of path.nodes)
    for (const input of node.inputs) users.set(input, [...(users.get(input) ?? []), node]);
  const found = new Map<Node, Composition>();
  for (const node of path.nodes)
    for (const composite of getOwn(composites, node.op) ?? []) {
      const composition = composite(g, node);
      if (!composition?.xs.some((x) => path.moving.has(x))) continue;
      const own = new Set([...composition.inner, node]);
      const hidden = composition.inner.every(({ outputs }) =>
        outputs.every((y) => !seen.has(y) && (users.get(y) ?? []).every((user) => own.has(user))),
      );
      if (hidden) found.set(node, composition);
    }
  return found;
}

function pullBackWhole(
  g: GraphBuilder,
  node: Node,
  composition: Composition,
  path: Path,
  cotangents: Cotangents,
): void {
  const dys = node.outputs.map((output) => total(cotangents, output));
  if (dys[0] == null) return;
  g.within(`${node.name}/grad`, () => {
    const dxs = composition.vjp(contextOf(g, node, 0, dys));
    composition.xs.forEach((x, i) => {
      if (path.moving.has(x)) arrive(cotangents, x, dxs[i]!);
    });
  });
}

/** Adds a cotangent to those that arrive at a value. */
function arrive(cotangents: Cotangents, value: Value, dx: Expression): void {
  const parts = cotangents.get(value);
  if (parts) parts.push(dx);
  else cotangents.set(value, [dx]);
}

const contextOf = (
  g: GraphBuilder,
  node: Node,
  index: number,
  dys: readonly (Expression | null)[],
): RuleContext => ({
  node,
  index,
  x: (i) => new Expression(g, inputOf(node, i)),
  y: new Expression(g, node.outputs[0]!),
  output: (k) => new Expression(g, g.demandOutput(node, k)),
  dy: dys[0] as Expression,
  dyOf: (k) => dys[k] ?? null,
});

/** Applies a rule, in the shape of its input; a node that the rule cannot process is refused by name. */
function cotangent(c: RuleContext, vjp: Vjp): Expression {
  try {
    return unbroadcast(vjp(c), c.x(c.index).shape);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const refusal = new InputError(
      'model_unsupported_op',
      `node ${quoted(c.node.name)} (${c.node.op}): no derivative for inputs and attributes like these`,
    );
    refusal.cause = error;
    throw refusal;
  }
}

function inputOf(node: Node, i: number): Value {
  const input = node.inputs[i];
  if (!input)
    throw new InputError('invalid_model', `node ${quoted(node.name)} (${node.op}) has no input ${i}`);
  return input;
}

/** Adds up the cotangents that have arrived at a value; the sum replaces the parts. */
function total(cotangents: Cotangents, value: Value): Expression | null {
  const parts = cotangents.get(value);
  if (!parts) return null;
  const [first, second] = parts;
  const whole = second && parts.length === 2 ? first.add(second) : sumOf(parts);
  cotangents.set(value, [whole]);
  return whole;
}

/** Sums a cotangent over the axes that broadcasting had stretched `to` along. */
function unbroadcast(dx: Expression, to: Shape): Expression {
  const from = dx.shape;
  const extra = from.length - to.length;
  const stretched = from.flatMap((d, i) => (i >= extra && d !== 1 && to[i - extra] === 1 ? [i] : []));
  const leading = Array.from({ length: Math.max(extra, 0) }, (_, i) => i);
  const reduced = dx.sum([...leading, ...stretched]);
  const result = extra > 0 ? reduced.reshape(to) : reduced;
  const { shape } = result;
  if (shape.length !== to.length || shape.some((d, i) => d !== to[i]))
    throw new Error(`a cotangent of shape [${from}] for an input of shape [${to}]`);
  return result;
}
