import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/graph.ts';
import { getOwn } from '../../own.ts';
import { sizeOf } from '../../tensor.ts';

// Exporters write the factors and sums of one function in many ways: in any order, as products or quotients, x³ as a
// power or as two products. The polynomial in the relevant values is the same for all of them.

/** Coefficients by exponents: for a·x²y in x and y, `a` at '2,1'. */
export type Polynomial = ReadonlyMap<string, number>;

/** The highest power of any function. */
const highest = 4;
const mostNodes = 32;

/** Reads a value as a polynomial in `symbols`; `undefined` if it is not a polynomial, or depends on other values. */
export function polynomial(g: GraphBuilder, value: Value, symbols: readonly Value[]): Polynomial | undefined {
  let left = mostNodes;
  const constant = (c: number): Polynomial => new Map([[symbols.map(() => 0).join(), c]]);
  const read = (v: Value): Polynomial | undefined => {
    const symbol = symbols.indexOf(v);
    if (symbol >= 0) return new Map([[symbols.map((_, i) => Number(i === symbol)).join(), 1]]);
    const number = scalar(g, v);
    if (number !== undefined) return constant(number);
    const node = g.maker(v);
    if (!node || node.spelling || left-- <= 0) return undefined;
    return combined(g, node, read);
  };
  return read(value);
}

function combined(
  g: GraphBuilder,
  { op, inputs }: Node,
  read: (value: Value) => Polynomial | undefined,
): Polynomial | undefined {
  const [a, b] = inputs as [Value, Value];
  const divisor = op === 'Div' ? scalar(g, b) : undefined;
  const power = op === 'Pow' ? scalar(g, b) : undefined;
  switch (op) {
    case 'Neg':
      return plus(read(a), -1, new Map());
    case 'Add':
      return plus(read(a), 1, read(b));
    case 'Sub':
      return plus(read(b), -1, read(a));
    case 'Sum':
      return inputs.map(read).reduce((sum, term) => plus(term, 1, sum));
    case 'Mul':
      return times(read(a), read(b));
    case 'Div':
      return divisor ? plus(read(a), 1 / divisor, new Map()) : undefined;
    case 'Pow': {
      const base = power && Number.isInteger(power) && power > 0 && power <= highest ? read(a) : undefined;
      return (
        base && Array.from({ length: power! - 1 }).reduce<Polynomial | undefined>((p) => times(p, base), base)
      );
    }
    default:
      return undefined;
  }
}

/** factor·a + b */
function plus(a: Polynomial | undefined, factor: number, b: Polynomial | undefined): Polynomial | undefined {
  if (!a || !b) return undefined;
  const sum = new Map(b);
  for (const [exponents, c] of a) sum.set(exponents, (sum.get(exponents) ?? 0) + factor * c);
  return sum;
}

function times(a: Polynomial | undefined, b: Polynomial | undefined): Polynomial | undefined {
  if (!a || !b) return undefined;
  const product = new Map<string, number>();
  for (const [p, c] of a)
    for (const [q, d] of b) {
      const [left, right] = [p.split(','), q.split(',')];
      const exponents = left.map((e, i) => Number(e) + Number(right[i]));
      if (exponents.reduce((x, y) => x + y, 0) > highest) return undefined;
      product.set(exponents.join(), (product.get(exponents.join()) ?? 0) + c * d);
    }
  return product;
}

/** Tells whether a polynomial has exactly these terms. */
export function is(
  found: Polynomial | undefined,
  terms: Readonly<Record<string, number>>,
  precision: number,
): boolean {
  if (!found) return false;
  const present = [...found].filter(([, c]) => c !== 0);
  return (
    present.length === Object.keys(terms).length &&
    present.every(([exponents, c]) => {
      const wanted = getOwn(terms, exponents);
      return wanted !== undefined && near(c, wanted, precision);
    })
  );
}

/** Tells whether a number equals `right`, except for rounding. */
export const near = (value: number | undefined, right: number, precision: number): boolean =>
  value !== undefined && Math.abs(value - right) <= precision * Math.abs(right);

/** Finds a if a value is exactly a·x; `undefined` also for a = 0. */
export function multipleOf(g: GraphBuilder, value: Value, x: Value): number | undefined {
  const terms = [...(polynomial(g, value, [x]) ?? [])].filter(([, c]) => c !== 0);
  return terms.length === 1 && terms[0]![0] === '1' ? terms[0]![1] : undefined;
}

/** Reads the number of a constant of one element. */
export function scalar(g: GraphBuilder, value: Value | undefined): number | undefined {
  if (!value || g.dependsOnInputs(value)) return undefined;
  if (g.constants.has(value) && sizeOf(g.constants.get(value)!.shape) !== 1) return undefined; // at a glance
  const elements = g.elements(value);
  return elements?.length === 1 ? elements[0] : undefined;
}

const arithmetic = new Set(['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Pow', 'Sum']);

/** Lists a value and the operands of the sums, products and quotients that make it, the nearest first. */
export function* operandsOf(g: GraphBuilder, value: Value): Generator<Value> {
  const seen = new Set([value]);
  for (const v of seen) {
    yield v;
    const node = g.maker(v);
    if (!node || !arithmetic.has(node.op) || seen.size > mostNodes) continue;
    for (const input of node.inputs) if (g.dependsOnInputs(input)) seen.add(input);
  }
}

/** Lists the nodes of given operators whose outputs a value sums or multiplies. */
export function* terms(g: GraphBuilder, value: Value, ...ops: readonly string[]): Generator<Node> {
  for (const v of operandsOf(g, value)) {
    const node = madeBy(g, v, ...ops);
    if (node) yield node;
  }
}

/** Finds the node that makes a value, if it has one of these operators and its inputs are known. */
export function madeBy(
  g: GraphBuilder,
  value: Value | undefined,
  ...ops: readonly string[]
): Node | undefined {
  const node = value ? g.maker(value) : undefined;
  return node && ops.includes(node.op) && inputsKnown(g, node) ? node : undefined;
}

export const inputsKnown = (g: GraphBuilder, { inputs }: Node): boolean =>
  inputs.every((value) => value === '' || g.knows(value));

/** Lists the two inputs of a node in both orders. */
export const eitherWay = ({ inputs: [a, b] }: Node): readonly (readonly [Value, Value])[] => [
  [a!, b!],
  [b!, a!],
];
