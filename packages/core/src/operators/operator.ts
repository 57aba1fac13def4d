import type { Constants, Node } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import type { Picks } from './picks.ts';
import { broadcastRows, type Rows, reshapedRows } from './rows.ts';
import { sameAsFirst } from './shape/elementwise.ts';
import type { ShapeRule } from './shape/rule.ts';
import type { VjpRow } from './vjp/rule.ts';

/** All facts about one operator: its opset, its shapes, its derivative and its properties. */
export interface Operator {
  /**
   * The lowest opset, from 18 on, in which a node means the same, or a function that gives it for a node; `null` if it
   * is the model's own.
   */
  readonly since: number | null | ((node: Node, constants: Constants) => number | null);
  readonly shape: ShapeRule | null;
  readonly vjp: VjpRow | null;
  /** The number of inputs, from the first, that are data; the others are parameters: weights, bounds, axes, scales. */
  readonly data: number;
  /** Whether each output element depends on the data at its place alone; data of several shapes broadcast. */
  readonly elementwise: boolean;
  /**
   * The data in which the operator is linear, up to a constant: all together, each input with the others fixed, only
   * the first input, or no data.
   */
  readonly linear: 'jointly' | 'each' | 'first' | 'no';
  /** Whether elements are only moved or copied, maybe with zeros or constants between; a view keeps all in order. */
  readonly movement: 'view' | 'moves' | 'no';
  /** Whether elements are scaled by statistics of the elements of the same input. */
  readonly normalises: boolean;
  /** The value outside the map for an operator that slides a window over a map. */
  readonly window: 'zero' | 'lowest' | null;
  /** The input that holds the weights of a layer, which mixes channels. */
  readonly weights: number | null;
  /** Whether the operator makes a feature map of any input, keeps a map as a map with its own places, or ends maps. */
  readonly map: 'makes' | 'keeps' | 'ends';
  /** The rule by which rows of the inputs make each row along an axis of the output; `null` if no axis has one. */
  readonly rows: Rows | null;
  /** The rule for which elements of the first input are taken by position; a Transpose only permutes axes. */
  readonly picks: Picks | null;
}

/** A family's rows of the table. */
export type Operators = Readonly<Partial<Record<OperatorName, Operator>>>;

/** A row of the table: the facts that its kind leaves open, and the facts that differ from its kind. */
type Row<Open extends keyof Operator> = Pick<Operator, Open> & Partial<Operator>;

/** Makes a row of an operator with only the given facts. */
export const other = (row: Partial<Operator> = {}): Operator => ({
  since: null,
  shape: null,
  vjp: null,
  data: 0,
  elementwise: false,
  linear: 'no',
  movement: 'no',
  normalises: false,
  window: null,
  weights: null,
  map: 'ends',
  rows: null,
  picks: null,
  ...row,
});

/** Makes a row of an operator with one data input and parameters, in ONNX since opset 18 or before. */
export const operator = (row: Row<'shape' | 'vjp' | 'rows'>): Operator => known(row);

const known = (row: Partial<Operator>): Operator => other({ since: 18, data: 1, ...row });
const elementwise = { elementwise: true, map: 'keeps', rows: broadcastRows } as const;

/** Makes a row of a function of each element. */
export const unary = (row: Row<'vjp'>): Operator => known({ ...elementwise, shape: sameAsFirst, ...row });

/** Makes a row of a function of the elements of several inputs, which broadcast. */
export const nary = (row: Row<'shape' | 'vjp'>): Operator =>
  known({ ...elementwise, data: Number.POSITIVE_INFINITY, ...row });

/** Makes a row of a move of elements. */
export const moving = (row: Row<'shape' | 'vjp'>): Operator =>
  known({ linear: 'jointly', movement: 'moves', ...row });

/** Makes a row of an operator that changes only the shape. */
export const view = (row: Row<'shape' | 'vjp'>): Operator =>
  moving({ movement: 'view', rows: reshapedRows, ...row });

/** Makes a row of an operator that normalises. */
export const normalisation = (row: Row<'vjp' | 'rows' | 'map'>): Operator =>
  known({ normalises: true, shape: sameAsFirst, ...row });

/** Makes a row of an operator that pools each channel of a window. */
export const pool = (row: Row<'shape' | 'vjp' | 'window' | 'rows'>): Operator =>
  known({ map: 'keeps', ...row });

/** Makes a row of a product with weights. */
export const product = (row: Row<'shape' | 'vjp' | 'rows' | 'map'>): Operator =>
  known({ linear: 'jointly', weights: 1, ...row });
