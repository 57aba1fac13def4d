import { getOwn } from '../own.ts';
import type { DType, Tensor } from '../tensor.ts';
import type { OperatorName } from './operator-names.ts';

export type Constants = ReadonlyMap<string, Tensor>;

/**
 * The graph that everything works on: nodes in topological order over named values. Its operators mean what
 * opset 18 says (axes of reductions, Squeeze, Slice, Pad, Clip's bounds are inputs), whatever opset the file had:
 * `upgrade` raises older nodes on reading, `lowestOpset` finds the opset to write, `write` lowers what that lacks.
 */
export interface Graph {
  readonly name: string;
  /** The opset to write. */
  readonly opset: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly string[];
  readonly nodes: readonly Node[];
  readonly constants: Constants;
  /** The types that the file states for values inside the graph. */
  readonly declared?: ReadonlyMap<string, ValueInfo>;
}

/** The type of a value as ONNX states it. */
export interface ValueType {
  readonly dtype: DType;
  /** A string is a symbol such as `batch`. */
  readonly shape: readonly (number | string)[];
}

export interface ValueInfo extends ValueType {
  readonly name: string;
  /** The name that users know, if the model has a tensor of that name. */
  readonly known?: string;
}

export interface Node {
  readonly op: OperatorName;
  readonly name: string;
  /** Value names; `''` is an absent optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  /** The known types of the outputs, which help to plan memory. */
  readonly types?: readonly (ValueType | undefined)[];
  /** The nodes of a function that the file writes in several. Such a node is spelled out before a graph is written. */
  readonly spelling?: Spelling;
}

/** The nodes in which a file writes a function. */
export interface Spelling {
  /** The values in these nodes that stand for the function's inputs. */
  readonly inputs: readonly string[];
  /** The nodes in order; the last node gives the function's output. */
  readonly nodes: readonly Node[];
  /** Values inside that a derivative can use, by their roles. */
  readonly parts: Readonly<Record<string, string>>;
}

/** A Scan's repeated body (only written), or a branch of an If (only read); it sees the values and constants around. */
export interface Body {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: readonly Node[];
}

/** Integers are plain numbers; floats are wrapped, because ONNX tells 1 from 1.0. */
export type Attribute =
  | number
  | readonly number[]
  | string
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: Tensor }
  | { readonly body: Body };
export type Attributes = Readonly<Record<string, Attribute>>;

export const float = (value: number): Attribute => ({ float: value });

/** Reads an integer attribute. */
export function int(node: { attributes: Attributes }, name: string, otherwise: number): number {
  const value = getOwn(node.attributes, name);
  return typeof value === 'number' ? value : otherwise;
}

export function ints(node: { attributes: Attributes }, name: string): readonly number[] | undefined {
  const value = getOwn(node.attributes, name);
  return Array.isArray(value) && typeof value[0] !== 'string' ? (value as readonly number[]) : undefined;
}

export function real(node: { attributes: Attributes }, name: string, otherwise: number): number {
  const value = getOwn(node.attributes, name);
  return typeof value === 'object' && 'float' in value ? value.float : otherwise;
}

export function text(node: { attributes: Attributes }, name: string, otherwise: string): string {
  const value = getOwn(node.attributes, name);
  return typeof value === 'string' ? value : otherwise;
}

/** Lists the values that a node needs: its inputs, and values of the graph around that its spelling or bodies use. */
export const usesOf = (node: Node): string[] => [
  ...node.inputs,
  ...(node.spelling ? takenBySpelling(node.spelling) : []),
  ...Object.values(node.attributes).flatMap((value) =>
    typeof value === 'object' && 'body' in value ? takenBy(value.body) : [],
  ),
];

/** Lists the values and constants that a function's nodes use and that are no inputs of it. */
export function takenBySpelling({ inputs, nodes }: Spelling): string[] {
  const own = new Set([...inputs, ...nodes.flatMap(({ outputs }) => outputs)]);
  return [...new Set(nodes.flatMap((node) => node.inputs))].filter((value) => !own.has(value));
}

function takenBy({ inputs, outputs, nodes }: Body): string[] {
  const own = new Set([...inputs.map(({ name }) => name), ...nodes.flatMap((node) => node.outputs)]);
  const used = [...nodes.flatMap(usesOf), ...outputs.map(({ name }) => name)];
  return [...new Set(used)].filter((value) => !own.has(value));
}

/** Lists the nodes on which `wanted` depends, in order. */
export function reachable(nodes: readonly Node[], wanted: Iterable<string>): Node[] {
  const needed = new Set(wanted);
  const kept: Node[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => output !== '' && needed.has(output))) continue;
    kept.push(node);
    for (const value of usesOf(node)) if (value !== '') needed.add(value);
  }
  return kept.reverse();
}

/** Converts a number to int64, clamped to its range, which is what exporters mean (a Slice to the end). */
export const toInt64 = (value: number): bigint =>
  value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(Math.max(value, -(2 ** 63)));

/** Reads the integers of a small constant. */
export const integers = (value: Tensor): number[] =>
  Array.from(value.data as ArrayLike<number | bigint>, Number);
