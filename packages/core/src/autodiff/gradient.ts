import { operators, operatorsThat } from '../operators/table.ts';
import type { VjpRules } from '../operators/vjp/rule.ts';

/** The derivative of every operator that has one: the gradient proper. */
export const gradientRules: VjpRules = Object.fromEntries(
  operatorsThat(({ vjp }) => vjp !== null).map((op) => [op, operators[op].vjp!]),
);
