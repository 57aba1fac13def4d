import type { Constants, Node } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import type { Picks } from './picks.ts';
import { broadcastRows, type Rows, reshapedRows } from './rows.ts';
import { sameAsFirst } from './shape/elementwise.ts';
import type { ShapeRule } from './shape/rule.ts';
import type { VjpRow } from './vjp/rule.ts';

/** All that is known of one operator: since when it is what it is, its shapes, its derivative, and what it is. */
export interface Operator {
  /**
   * The lowest opset, from 18 on, in which a node says the same, or what gives it for a node; `null` where that is the
   * model's own.
   */
  readonly since: number | null | ((node: Node, constants: Constants) => number | null);
  readonly shape: ShapeRule | null;
  readonly vjp: VjpRow | null;
  /** How many of its inputs, from the first, are data; those that follow say how: weights, bounds, axes, scales. */
  readonly data: number;
  /** Each place of the output depends on that place of the data alone; data of several shapes broadcast. */
  readonly elementwise: boolean;
  /**
   * Linear, but for a constant, in all of the data together, in each of them while the others are held, in the first
   * alone, or not.
   */
  readonly linear: 'jointly' | 'each' | 'first' | 'no';
  /** Elements are moved or copied, whatever they are, and zeros or constants put between; a view keeps all in order. */
  readonly movement: 'view' | 'moves' | 'no';
  /** Elements are set in proportion to others of the same input, of which statistics are taken. */
  readonly normalises: boolean;
  /** A window slides over the places of a map, and sees this outside. */
  readonly window: 'zero' | 'lowest' | null;
  /** The input that holds the weights of a layer, which mixes channels. */
  readonly weights: number | null;
  /** Whether it makes a feature map of what it is given, or of a map another one with places of its own, or ends maps. */
  readonly map: 'makes' | 'keeps' | 'ends';
  /** How each row along an axis of the output is made of rows of the inputs; `null`: not row by row, along any axis. */
  readonly rows: Rows | null;
  /** Which elements of the first input it takes, where it takes them by position; a Transpose only turns axes. */
  readonly picks: Picks | null;
}

/** Rows of a family. */
export type Operators = Readonly<Partial<Record<OperatorName, Operator>>>;

/** A row of the table: what its kind leaves open, and what is otherwise than its kind has it. */
type Row<Open extends keyof Operator> = Pick<Operator, Open> & Partial<Operator>;

/** An operator of which nothing is known but what is said. */
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

/** An operator of one input and what says how, which ONNX has since opset 18 or before. */
export const operator = (row: Row<'shape' | 'vjp' | 'rows'>): Operator => known(row);

const known = (row: Partial<Operator>): Operator => other({ since: 18, data: 1, ...row });
const elementwise = { elementwise: true, map: 'keeps', rows: broadcastRows } as const;

/** A function of each element. */
export const unary = (row: Row<'vjp'>): Operator => known({ ...elementwise, shape: sameAsFirst, ...row });

/** A function of elements of several inputs, which broadcast. */
export const nary = (row: Row<'shape' | 'vjp'>): Operator =>
  known({ ...elementwise, data: Number.POSITIVE_INFINITY, ...row });

/** Elements elsewhere. */
export const moving = (row: Row<'shape' | 'vjp'>): Operator =>
  known({ linear: 'jointly', movement: 'moves', ...row });

/** The same elements in another shape. */
export const view = (row: Row<'shape' | 'vjp'>): Operator =>
  moving({ movement: 'view', rows: reshapedRows, ...row });

/** Elements in proportion to others. */
export const normalisation = (row: Row<'vjp' | 'rows' | 'map'>): Operator =>
  known({ normalises: true, shape: sameAsFirst, ...row });

/** A map of what a window sees of each channel. */
export const pool = (row: Row<'shape' | 'vjp' | 'window' | 'rows'>): Operator =>
  known({ map: 'keeps', ...row });

/** A product with weights. */
export const product = (row: Row<'shape' | 'vjp' | 'rows' | 'map'>): Operator =>
  known({ linear: 'jointly', weights: 1, ...row });
