import type { OperatorName } from '../onnx/operator-names.ts';
import { activation } from './activation.ts';
import { arithmetic } from './arithmetic.ts';
import { convolution } from './convolution.ts';
import { generation } from './generation.ts';
import { indexing } from './indexing.ts';
import { linear } from './linear.ts';
import { logic } from './logic.ts';
import { movement } from './movement.ts';
import { normalization } from './normalization.ts';
import type { Operator } from './operator.ts';
import { pooling } from './pooling.ts';
import { quantization } from './quantization.ts';
import { recurrent } from './recurrent.ts';
import { reduction } from './reduction.ts';
import { resize } from './resize.ts';
import { trigonometry } from './trigonometry.ts';
import { microsoft, unfollowed } from './unfollowed.ts';

/** The facts about every operator: all code asks this table what an operator is, and keeps no list of its own. */
export const operators: Readonly<Record<OperatorName, Operator>> = {
  ...activation,
  ...arithmetic,
  ...convolution,
  ...generation,
  ...indexing,
  ...linear,
  ...logic,
  ...movement,
  ...normalization,
  ...pooling,
  ...quantization,
  ...recurrent,
  ...reduction,
  ...resize,
  ...trigonometry,
  ...unfollowed,
  ...microsoft,
};

/** Lists the operators for which `holds` is true. */
export const operatorsThat = (holds: (operator: Operator) => boolean): OperatorName[] =>
  (Object.keys(operators) as OperatorName[]).filter((op) => holds(operators[op]));
